// The value that a write gives a secret: from the caller, generated, from another secret, or the stored one.
import { StagelyError, type Fault } from '../../kernel/errors.ts'
import { refOf, type KubeObject } from '../../resources/meta.ts'
import { valueBytes } from '../../kinds/secret/value.ts'
import type { SecretSpec } from '../../kinds/secret/schema.ts'
import { specOf } from '../../kinds/typed.ts'
import { valueDigest } from '../../secrets/digest.ts'
import { generateValue } from '../../secrets/generate.ts'
import { environmentsIn, secretPlaceOf, stageletIn } from '../../secrets/place.ts'
import { isBoundToNames, type SealedPlace } from '../../secrets/sealed-place.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { sameJson } from '../../kernel/same-json.ts'
import { invalidObject } from '../core/errors.ts'
import { ensureProjectOf } from './projects.ts'
import type { ProjectState } from '../core/project-state.ts'
import { openHeads } from './secret-versions.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { awaitsOf } from './awaited-values.ts'
import { changesRule, type FoundValue } from './disclosure.ts'
import { followedBy, followedValue } from './followers.ts'

const sealedPlace = (session: WriteSession, object: KubeObject): SealedPlace => {
  const spec = specOf('StagelySecret', object)
  const { namespace } = refOf(object)
  const home = session.fetch({ kind: 'Namespace', namespace: '', name: namespace })
  return {
    namespace,
    namespaceUid: home?.uid,
    project: spec.projectRef.name,
    key: spec.key,
    ...secretPlaceOf(spec),
  }
}

const sealedFault: Fault = {
  field: 'spec.sealedValue',
  reason: 'FieldValueInvalid',
  message:
    'Invalid value: it does not open here: it was sealed for another namespace, project, key, scope, stagelet or environment, or for another controller; seal it anew with "stagely seal"',
}

const removedNamespaceFault: Fault = {
  ...sealedFault,
  message:
    'Invalid value: it does not open here: it is bound to the name of its namespace alone, and another namespace had that name before; seal it anew with "stagely seal", with a key file from "stagely seal --fetch-key" of now',
}

/** The bytes of value, valueBase64 or sealedValue; undefined for none. Invalid when a sealed one does not open. */
const valueInSpec = (session: WriteSession, object: KubeObject): Buffer | undefined => {
  const spec = specOf('StagelySecret', object)
  if (spec.sealedValue === undefined) return valueBytes(spec)
  const place = sealedPlace(session, object)
  if (isBoundToNames(spec.sealedValue) && session.view.hadNamespace(place.namespace))
    throw invalidObject(refOf(object), [removedNamespaceFault])
  const opened = session.deps.sealedValues?.open(place, spec.sealedValue)
  if (opened === undefined) throw invalidObject(refOf(object), [sealedFault])
  return opened
}

/** The write is run again, from its beginning, after each key. */
const mostRsaKeys = 50

const tooManyRsaKeys = (): StagelyError =>
  new StagelyError(
    'BadRequest',
    `one write makes ${mostRsaKeys} RSA keys at most: make the rest in another one`,
  )

/** A generated value, where the spec asks for one and the secret has none yet, or `generation` has changed. */
export const generatedValue = async (
  session: Pick<WriteSession, 'rsaKeys' | 'deferred'>,
  spec: SecretSpec,
  current: StoredRow | undefined,
  hasValue: boolean,
): Promise<Buffer | undefined> => {
  const wanted = spec.valueFrom?.generate
  if (wanted === undefined) return undefined
  const before = current && specOf('StagelySecret', current.object).valueFrom?.generate
  const made = hasValue && before !== undefined && before.generation === wanted.generation
  if (made) return undefined
  if (wanted.keypair !== 'rsa') return generateValue(wanted)
  // An RSA key takes up to seconds. A number is name enough: any key is good for any secret.
  if ((session.rsaKeys += 1) > mostRsaKeys) throw tooManyRsaKeys()
  const name = `rsa key ${session.rsaKeys}`
  return session.deferred.result(name, () => generateValue(wanted))
}

/** True where the caller gives the stored value. The digests are compared: the stored value is not opened. */
export const holdsValue = async (session: WriteSession, object: KubeObject): Promise<boolean> => {
  const value = valueInSpec(session, object)
  const row = value === undefined ? undefined : session.fetch(refOf(object))
  if (value === undefined || row === undefined) return false
  const head = session.head(row.uid)
  if (head === undefined) return false
  const project = await ensureProjectOf(session, row.object)
  const { key, type, file, valueDigest: stored } = head
  const refers = specOf('StagelySecret', object).references === true
  return valueDigest(project.digestKey, { type, key, value, file, refers }) === stored
}

/** Where a secret goes. A version is sealed for its place. */
const sealedPlaceOf = (spec: SecretSpec): unknown => [
  spec.scope,
  spec.type,
  stageletIn(spec),
  environmentsIn(spec),
  spec.file,
  spec.references === true,
  spec.visibility === 'Plain',
]

export const hasNewPlace = (object: KubeObject, current: StoredRow | undefined): boolean =>
  current === undefined ||
  !sameJson(
    sealedPlaceOf(specOf('StagelySecret', object)),
    sealedPlaceOf(specOf('StagelySecret', current.object)),
  )

/** The version has the place that the spec names. */
export const isAtPlace = (e: ProjectEntry, spec: SecretSpec): boolean =>
  sameJson(sealedPlaceOf(spec), [
    ...[e.scope, e.type, e.stagelet, e.environments, e.file],
    e.references !== undefined,
    e.plain === true,
  ])

/** The spec no longer says that no person has written the value: from now on its version says so. */
export const mustBeMarked = (
  head: ProjectEntry,
  { valueFrom }: SecretSpec,
  current: StoredRow | undefined,
): boolean =>
  head.made !== true &&
  valueFrom === undefined &&
  current !== undefined &&
  specOf('StagelySecret', current.object).valueFrom !== undefined

/** Whether a program of ours has drawn the bytes; noted where it was by this write. */
export const drawnOf = (
  session: WriteSession,
  object: KubeObject,
  { found, keptFrom }: { found: FoundValue; keptFrom: ProjectEntry | undefined },
): true | undefined => {
  if (found.drawn === true && found.origin === 'plain') session.drawn.add(object.metadata.uid ?? '')
  return found.drawn ?? keptFrom?.drawn
}

/** `head` is the current version. The stored value is found where a new place or format needs it. */
export const findValue = async (
  session: WriteSession,
  project: ProjectState,
  object: KubeObject,
  { head, current }: { head: ProjectEntry | undefined; current: StoredRow | undefined },
): Promise<FoundValue | undefined> => {
  const spec = specOf('StagelySecret', object)
  const written = valueInSpec(session, object)
  if (written !== undefined && spec.sealedValue !== undefined)
    return { value: written, origin: (await holdsValue(session, object)) ? 'stored' : 'sealed' }
  if (written !== undefined) return { value: written, origin: 'plain' }
  const drawn = await generatedValue(session, spec, current, head !== undefined)
  if (drawn !== undefined) return { value: drawn, origin: 'plain', drawn: true }
  const followed = await followedValue(session, project, object)
  if (followed !== undefined) {
    const before = current === undefined ? undefined : followedBy(current.object)
    const stays = before === followedBy(object) && head !== undefined
    return { ...followed, origin: stays ? 'stored' : 'elsewhere' }
  }
  if (head === undefined) return undefined
  // The value that was given last waits for others: the stored one is not made a template meanwhile.
  if (current !== undefined && awaitsOf(current.object) !== undefined && spec.references === true)
    return undefined
  const stays = isAtPlace(head, spec) && !changesRule(spec, current)
  if (stays && !mustBeMarked(head, spec, current)) return undefined
  const [opened] = await openHeads(session, project.uid, [head])
  return opened && { value: opened.value, origin: 'stored' }
}
