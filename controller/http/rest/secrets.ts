// Writes and shows secrets of the REST API. They are StagelySecret objects; there is no second copy.
import { append } from '../../../src/kernel/append.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import { apiVersion, refOf, type KubeObject } from '../../../src/resources/meta.ts'
import { secretName, type SecretInput } from '../../../src/kinds/secret/rest-fields.ts'
import { specOf } from '../../../src/kinds/typed.ts'
import type { Store, ProjectSummary, Transaction } from '../../../src/store/store.ts'
import { adviceOfPlace, adviceOfValue, warningValues } from '../warnings.ts'
import { restNotFound } from './access.ts'
import { parseId } from './ids.ts'
import { invalidInput } from './input.ts'
import { requireTarget, type RestContext } from './route.ts'
import { inRestName, inRestNames, withInput } from './secret-fields.ts'
import { createTracked, readAgain, updateTracked } from './writes.ts'
import type { CallerStore } from '../../../src/store/caller-store.ts'

export const isOfProject = (object: KubeObject, project: KubeObject): boolean =>
  object.metadata.namespace === project.metadata.namespace &&
  specOf('StagelySecret', object).projectRef.name === project.metadata.name

/** Finds a secret by `sec_…`, or by the name of the object. NotFound for a secret of another project. */
export const findSecret = async (
  store: Pick<Store, 'getStored' | 'getByUid'>,
  project: KubeObject,
  given: string,
): Promise<KubeObject> => {
  const uid = parseId('StagelySecret', given)
  const { namespace = '' } = project.metadata
  const object =
    uid === undefined
      ? (await store.getStored({ kind: 'StagelySecret', namespace, name: given }))?.object
      : await store.getByUid('StagelySecret', uid)
  if (object !== undefined && isOfProject(object, project)) return object
  throw restNotFound('secret', given)
}

/** The secret in the path. */
export const secretOf = (context: RestContext): Promise<KubeObject> =>
  findSecret(context.deps.store, requireTarget(context), context.params['secret_id'] ?? '')

/**
 * The first free name: another project of the team may have a secret with the same key and scope. The name that a narrowed
 * login gets does not depend on what it does not see.
 */
const freeName = async (
  tx: Transaction,
  project: KubeObject,
  input: SecretInput,
): Promise<{ name: string; generateName?: string }> => {
  const { namespace = '', name: projectName } = project.metadata
  const plain = secretName(input)
  const own = `${plain}.${projectName}`.slice(0, 253)
  for (const name of tx.isNarrowed(namespace) ? [own] : [plain, own])
    if ((await tx.get({ kind: 'StagelySecret', namespace, name })) === undefined) return { name }
  return { name: '', generateName: `${plain}-` }
}

/** Runs `work`, and translates faults of the store to the request's field names. */
export const inRequestNames = async <T>(work: () => Promise<T>, prefix = ''): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof StagelyError) || error.reason !== 'Invalid') throw error
    const { faults = [] } = error.details
    throw faults.length === 0 ? error : invalidInput(inRestNames(faults, prefix))
  }
}

const checkAlias = ({ type, secret_type: alias }: SecretInput): void => {
  if (type === undefined || alias === undefined || type === alias) return
  const message = 'Forbidden: it says something else than type'
  throw invalidInput([{ field: 'secret_type', reason: 'FieldValueForbidden', message }])
}

export const createSecret = async (
  tx: Transaction,
  project: KubeObject,
  input: SecretInput,
  nowMs: number,
): Promise<KubeObject> => {
  checkAlias(input)
  const { namespace = '', name: projectName } = project.metadata
  const object: KubeObject = {
    apiVersion,
    kind: 'StagelySecret',
    metadata: { ...(await freeName(tx, project, input)), namespace },
    spec: withInput({ projectRef: { name: projectName } }, input),
  }
  return createTracked(tx, object, nowMs)
}

export const updateSecret = async (
  tx: Transaction,
  secret: KubeObject,
  { input, ifMatch, nowMs }: { input: SecretInput; ifMatch: string | undefined; nowMs: number },
): Promise<KubeObject> => {
  checkAlias(input)
  const before = await readAgain(tx, secret, ifMatch)
  const { expected_version: expected } = input
  if (typeof expected === 'number') await tx.expectVersion(refOf(before), expected)
  const after = { ...before, spec: withInput(before.spec ?? {}, input) }
  return updateTracked(tx, before, after, nowMs)
}

export const deleteSecret = async (
  tx: Transaction,
  secret: KubeObject,
  ifMatch: string | undefined,
): Promise<void> => {
  const current = await readAgain(tx, secret, ifMatch)
  await tx.remove(refOf(current))
}

/** The given fields, and the secret before and after the write. */
export interface Written {
  readonly input: SecretInput
  readonly after: KubeObject
  readonly before?: KubeObject | undefined
}

/** Advice about one field of a request. */
export interface Warning {
  readonly field: string
  readonly message: string
}

/** About the given value, and about the secret's place. */
const adviceOf = async (
  store: Pick<Store, 'projectSummary'>,
  { input, after, before }: Written,
): Promise<Warning[]> => {
  const given = { ...after.spec, value: input['value'], valueBase64: input['value_base64'] }
  const advice = [...adviceOfValue(given), ...(await adviceOfPlace(store, after, before))]
  return advice.map(({ field, message }) => ({ field: inRestName(field), message }))
}

/** `prefixOf` tells where in the request a field is. */
export const warningHeader = <W extends Warning>(
  warnings: readonly W[],
  prefixOf: (warning: W) => string = () => '',
): Record<string, string> => {
  if (warnings.length === 0) return {}
  const texts = warnings.map(
    (warning) => `${prefixOf(warning)}${warning.field}: ${warning.message}`,
  )
  return { warning: warningValues(texts).join(', ') }
}

/** `Warning` headers of one write. */
export const warningsOf = async (
  store: CallerStore,
  input: SecretInput,
  { after, before }: Omit<Written, 'input'>,
): Promise<Record<string, string>> => warningHeader(await adviceOf(store, { input, after, before }))

type BatchWarning = Warning & { readonly operation: number }

/**
 * Warnings of a batch; each names its operation. `around` is the state before the batch, so that advice
 * about a project's first secret is given once.
 */
export const warningsOfBatch = async (
  around: ProjectSummary,
  written: readonly (Written | undefined)[],
): Promise<BatchWarning[]> => {
  let envSecrets = around.envSecrets
  const warnings: BatchWarning[] = []
  for (const [operation, object] of written.entries()) {
    if (object === undefined) continue
    if (object.before === undefined && specOf('StagelySecret', object.after).type === 'env')
      envSecrets += 1
    const now = { projectSummary: () => Promise.resolve({ ...around, envSecrets }) }
    const advice = await adviceOf(now, object)
    append(
      warnings,
      advice.map((each) => ({ operation, ...each })),
    )
  }
  return warnings
}
