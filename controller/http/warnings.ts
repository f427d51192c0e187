// Advice for a person who stores a secret. Never a value, and never a refusal.
import { isReadOnce } from '../../src/databases/read-once.ts'
import { minPatternBytes } from '../../src/masking/min-pattern-bytes.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../src/resources/meta.ts'
import { valueBytes } from '../../src/kinds/secret/value.ts'
import type { SecretSpec } from '../../src/kinds/secret/schema.ts'
import { specOf, statusOf } from '../../src/kinds/typed.ts'
import { looksSecret } from '../../src/secrets/looks-secret.ts'
import {
  isForAll,
  isForService,
  narrowerPlaces,
  placesText,
  reaches,
  secretPlaceOf,
} from '../../src/secrets/place.ts'
import type { ProjectSummary, Store } from '../../src/store/store.ts'
import { refusedAs } from '../egress/refused.ts'
import { nearName } from '../../src/search/near-name.ts'
import { layoutOf } from '../../src/secrets/layout.ts'

export interface Advice {
  /** Path of the field in the object, as in a fault. */
  readonly field: string
  readonly message: string
}

/** From this length on an environment variable is an unusual place. */
const longBytes = 1024
/** Maximum number of stagelets that are read for advice. */
export const mostStagelets = 50
const maxWarnings = 20
/** Clients accept 16 KiB of headers in total. */
const maxWarning = 256

/** Values of `Warning` headers. */
export const warningValues = (texts: readonly string[]): string[] =>
  [...new Set(texts)].slice(0, maxWarnings).map((text) => {
    const plain = text
      .slice(0, maxWarning)
      .replace(/[\\"]/g, '\\$&')
      .replace(/[^\x20-\x7e]/g, '?')
    return `299 - "${plain}"`
  })

/** A secret that everybody is shown, by its name or its form. */
const adviceOfPlain = (given: Readonly<Record<string, unknown>>, bytes: Buffer): Advice[] => {
  const { key, visibility } = given
  if (visibility !== 'Plain' || !looksSecret(String(key), bytes.toString('utf8'))) return []
  const message =
    'the value looks like a secret, and is shown to everybody who sees its name: leave out visibility: Plain'
  return [{ field: 'spec.visibility', message }]
}

/** Advice about the value that a write gives. `given` is the spec as it was sent. */
export const adviceOfValue = (given: Readonly<Record<string, unknown>>): Advice[] => {
  const bytes = valueBytes(given)
  if (bytes === undefined || bytes.length === 0) return []
  return [...adviceOfPlain(given, bytes), ...adviceOfLines(given, bytes)]
}

const adviceOfLines = (given: Readonly<Record<string, unknown>>, bytes: Buffer): Advice[] => {
  const field = typeof given['value'] === 'string' ? 'spec.value' : 'spec.valueBase64'
  if (given['type'] === 'file' || !bytes.includes('\n')) return []
  const message =
    'holds a line break, which many programs and tools cut or escape in an environment variable; type: file keeps it whole'
  return [{ field, message }]
}

/**
 * Advice about the stored value, from whatever source. A short value is only mentioned when the secret
 * is new.
 */
const adviceOfLength = (secret: KubeObject, before: KubeObject | undefined): Advice[] => {
  const { bytes = 0, version } = statusOf('StagelySecret', secret)
  const { type, valueFrom, references, audience, visibility } = specOf('StagelySecret', secret)
  const field = valueFrom === undefined ? 'spec.value' : 'spec.valueFrom'
  if (audience === 'Controller') return []
  const isNew = before === undefined || statusOf('StagelySecret', before).version !== version
  // For a template the finished value matters, which is not known here.
  if (
    isNew &&
    bytes > 0 &&
    bytes < minPatternBytes &&
    references !== true &&
    visibility !== 'Plain'
  ) {
    const message = `shorter than ${minPatternBytes} bytes, so it is not masked in what agents report`
    return [{ field, message }]
  }
  if (type === 'file' || bytes <= longBytes) return []
  const message = `${bytes} bytes are much for an environment variable, which every child process copies; type: file is meant for it`
  return [{ field, message }]
}

/** The first value is the right one. */
const adviceOfReadOnce = (secret: KubeObject, before: KubeObject | undefined): Advice[] => {
  const { key } = specOf('StagelySecret', secret)
  const was = before === undefined ? undefined : statusOf('StagelySecret', before).version
  const isChanged = was !== undefined && statusOf('StagelySecret', secret).version !== was
  if (!isChanged || !isReadOnce(key)) return []
  const message = `${key} is read only while the data folder is empty: a new value changes nothing in the database; use a Rotation`
  return [{ field: 'spec.value', message }]
}

interface Service {
  readonly stagelet: string
  readonly name: string
  readonly composeKeys: readonly string[]
}

/** Of the stagelets for which the secret is. */
const servicesOf = (
  { stagelets, isolated }: Pick<ProjectSummary, 'stagelets' | 'isolated'>,
  spec: SecretSpec,
): Service[] => {
  const named = stagelets.map((stagelet) => ({
    name: stagelet.metadata.name,
    environment: specOf('Stagelet', stagelet).environment,
  }))
  const [place, layout] = [secretPlaceOf(spec), layoutOf(named, isolated)]
  return stagelets
    .filter(({ metadata }) => reaches(place, metadata.name, layout))
    .flatMap((stagelet) =>
      (statusOf('Stagelet', stagelet).services ?? []).map(({ name, composeKeys = [] }) => ({
        stagelet: stagelet.metadata.name,
        name,
        composeKeys,
      })),
    )
}

const adviceOfScope = (scope: string, services: readonly Service[]): Advice[] => {
  const names = [...new Set(services.map(({ name }) => name))].sort()
  if (isForAll({ scope }) || names.length === 0 || names.includes(scope)) return []
  const near = nearName(scope, names)
  const hint =
    near === undefined ? `there are ${names.slice(0, 10).join(', ')}` : `did you mean "${near}"?`
  return [{ field: 'spec.scope', message: `no service has the name "${scope}"; ${hint}` }]
}

const adviceOfClash = (
  { key, scope, type }: SecretSpec,
  services: readonly Service[],
): Advice[] => {
  if (type === 'file') return []
  const clash = services.filter(
    ({ name, composeKeys }) => isForService({ scope }, name) && composeKeys.includes(key),
  )
  if (clash.length === 0) return []
  const shown = clash.slice(0, 3).map(({ stagelet, name }) => `${stagelet}/${name}`)
  const more = clash.length > shown.length ? ` and ${clash.length - shown.length} more` : ''
  const message = `the compose file (or an env_file) of ${shown.join(', ')}${more} sets ${key} as well: the secret wins`
  return [{ field: 'spec.key', message }]
}

/** The key was kept to fewer services before. */
const adviceOfReach = (
  secret: KubeObject,
  before: KubeObject | undefined,
  withKey: ProjectSummary['withKey'],
): Advice[] => {
  const spec = specOf('StagelySecret', secret)
  const others = withKey(spec.key).filter(({ secretId }) => secretId !== secret.metadata.uid)
  const old = before === undefined ? undefined : specOf('StagelySecret', before)
  const own = old?.key === spec.key ? [secretPlaceOf(old)] : []
  const narrower = narrowerPlaces([...others, ...own], secretPlaceOf(spec))
  if (narrower.length === 0) return []
  const message = `${spec.key} was kept to ${placesText(narrower)}, and goes to ${placesText([secretPlaceOf(spec)])} now`
  return [{ field: 'spec.scope', message }]
}

const inspectAdvice: Advice = {
  field: 'spec.type',
  message:
    'whoever may run "docker inspect" on the machine reads values of type env; type: file is not shown there (said for the first one of a project only)',
}

/**
 * Objects may be created in any order, so that a missing name is no fault; but it may be a typing
 * error.
 */
const missingRef = (field: string, { kind, namespace, name }: ObjectRef): Advice => ({
  field: `spec.${field}.name`,
  message: `${kind} "${name}" does not exist in namespace "${namespace}" yet: this takes effect when it does`,
})

/** Names in a Stagelet that no object has. */
export const adviceOfRefs = async (
  store: Pick<Store, 'get'>,
  stagelet: KubeObject,
  before: KubeObject | undefined,
): Promise<Advice[]> => {
  const { projectRef, agentRef } = specOf('Stagelet', stagelet)
  const old = before && specOf('Stagelet', before)
  const { namespace } = refOf(stagelet)
  const advice: Advice[] = []
  const checkReference = async (kind: string, field: string, name: string): Promise<void> => {
    const ref = { kind, namespace, name }
    if ((await store.get(ref)) === undefined) advice.push(missingRef(field, ref))
  }
  if (old?.projectRef.name !== projectRef.name)
    await checkReference('Project', 'projectRef', projectRef.name)
  if (old?.agentRef.name !== agentRef.name) await checkReference('Agent', 'agentRef', agentRef.name)
  return advice
}

const placeOf = ({ spec = {} }: KubeObject): string =>
  JSON.stringify(
    ['scope', 'type', 'stageletRef', 'environments', 'audience'].map((name) => spec[name] ?? null),
  )

/**
 * Advice about the place of a stored secret. Only for a new place, and so not repeated for each new
 * value.
 */
export const adviceOfPlace = async (
  store: Pick<Store, 'projectSummary'>,
  secret: KubeObject,
  before: KubeObject | undefined,
): Promise<Advice[]> => {
  const length = [...adviceOfLength(secret, before), ...adviceOfReadOnce(secret, before)]
  if (before !== undefined && placeOf(before) === placeOf(secret)) return length
  const { namespace } = refOf(secret)
  const spec = specOf('StagelySecret', secret)
  const isSeen = spec.audience !== 'Controller'
  const project = { kind: 'Project', namespace, name: spec.projectRef.name }
  const around = await store.projectSummary(project, mostStagelets)
  const { envSecrets, isDeclared, withKey } = around
  const services = servicesOf(around, spec)
  const isFirst = isSeen && before === undefined && spec.type === 'env' && envSecrets <= 1
  return [
    ...length,
    ...(isDeclared ? [] : [missingRef('projectRef', project)]),
    ...adviceOfScope(spec.scope, services),
    ...adviceOfReach(secret, before, withKey),
    ...adviceOfClash(spec, services),
    ...(isFirst ? [inspectAdvice] : []),
  ]
}

/** A Notifier for an address that nobody calls but where the operator allows it. Names are looked up when they are called. */
export const adviceOfAddress = (notifier: KubeObject): Advice[] => {
  const { webhook } = specOf('Notifier', notifier)
  if (webhook === undefined) return []
  const { hostname } = new URL(webhook.url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const what = /(^|\.)localhost\.?$/.test(host) ? 'the machine of the controller' : refusedAs(host)
  if (what === undefined) return []
  const message = `${host} is ${what}: it is not called unless whoever runs the controller allows it (STAGELY_EGRESS_ALLOW); see by a test message whether it arrives`
  return [{ field: 'spec.webhook.url', message }]
}
