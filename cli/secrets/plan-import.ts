// The changes of an import, by name: the server compares the values, and does not return them.
import { defined } from '../../src/kernel/defined.ts'
import { annotations, type KubeObject } from '../../src/resources/meta.ts'
import { withFields, type SecretInput } from '../../src/kinds/secret/rest-fields.ts'
import type { ReviewChange, ReviewStatus } from '../../src/manifests/review.ts'
import type { SecretPlace } from '../../src/secrets/place.ts'
import type { KubeApi } from '../connect/api.ts'
import { Exit } from '../errors.ts'
import { entryText, type Entry } from '../formats/entries.ts'
import { note } from '../print.ts'
import { reviewObjects } from '../apply/review.ts'
import { nameFor, type SecretIdentity, type StoredSecrets } from '../objects/secret-identity.ts'

export interface ImportItem {
  readonly identity: SecretIdentity
  readonly name: string
  readonly action: 'added' | 'changed' | 'unchanged'
  /** Of a plain value: what it was, and what it becomes. */
  readonly plain?: ReviewChange['plain']
  /** Place in the file. */
  readonly where: string
  /** Fields from the file, by their REST names. */
  readonly input: SecretInput
  /** The object with these fields. */
  readonly object: KubeObject
}

export interface FileImportPlan extends Omit<ReviewStatus, 'faults' | 'changes'> {
  readonly items: readonly ImportItem[]
}

interface ImportDefaults extends SecretPlace {
  readonly project: string
  /** Source of the entries, for messages. */
  readonly file: string
}

interface Draft {
  readonly entry: Entry
  readonly identity: SecretIdentity
  readonly name: string
  readonly input: SecretInput
  readonly stored: KubeObject | undefined
}

/** Asks the server. Prints every fault with its place in the file, and ends with 1 if there is one. */
export const planImportOfFile = async (
  api: KubeApi,
  entries: readonly Entry[],
  defaults: ImportDefaults,
  storedSecrets: StoredSecrets,
): Promise<FileImportPlan> => {
  const drafts = draftsOf(entries, defaults, storedSecrets)
  const objects = drafts.map(objectOf)
  const review = await reviewObjects(api, objects)
  for (const fault of review.faults) {
    const draft = drafts[fault.index]
    const where = draft === undefined ? '' : `${draft.entry.where}: ${draft.entry.key}: `
    const field = fault.field === '' ? '' : `${fault.field.replace(/^spec\./, '')}: `
    note(`${defaults.file}: ${where}${field}${fault.message}`)
  }
  if (review.faults.length > 0) throw new Exit(1)
  const items = drafts.map(({ identity, name, entry: { where }, input }, index) => {
    const change = review.changes.find((c) => c.index === index)
    const plain = change?.plain
    const item = { identity, name, action: actionOf(change), where, input }
    return { ...item, object: objects[index]!, ...defined({ plain }) }
  })
  const { faults: _, changes: __, ...reach } = review
  return { items, ...reach }
}

/** A difference only in the last-applied annotation is no change of the secret. */
const actionOf = (change: ReviewChange | undefined): ImportItem['action'] => {
  if (change?.action === 'Create') return 'added'
  const differs = change?.fields.some((field) => field.startsWith('spec')) === true
  return change?.valueChanged === true || differs ? 'changed' : 'unchanged'
}

/** What the file says; the flags give the rest. A secret of a stagelet is in no environment, and the other way round. */
const placeIn = (
  { scope, stagelet, environments }: Entry,
  defaults: ImportDefaults,
): SecretPlace => ({
  scope: scope ?? defaults.scope,
  ...(stagelet === undefined && environments === undefined
    ? { stagelet: defaults.stagelet, environments: defaults.environments }
    : { stagelet, environments: environments && [...environments].sort() }),
})

/** Of two entries for one secret the last one counts, as in Compose; a note says so. */
const draftsOf = (
  entries: readonly Entry[],
  defaults: ImportDefaults,
  storedSecrets: StoredSecrets,
): Draft[] => {
  const drafts = new Map<string, Draft>()
  const names = new Set<string>()
  for (const entry of entries) {
    const identity = {
      project: defaults.project,
      key: entry.key,
      ...placeIn(entry, defaults),
    }
    const id = JSON.stringify(identity)
    const earlier = drafts.get(id)
    if (earlier !== undefined) {
      note(`${defaults.file}: ${entry.where}: ${entry.key} is set again, and this one counts`)
    }
    const found = storedSecrets.find(identity)
    const isTaken = (name: string): boolean => storedSecrets.hasName(name) || names.has(name)
    const name =
      found?.metadata.name ?? earlier?.name ?? nameFor({ ...identity, ...entry.fields }, isTaken)
    names.add(name)
    const { key, scope, stagelet, environments } = identity
    const input = {
      ...entry.fields,
      ...(found === undefined && entry.isPlain === true && { visibility: 'Plain' }),
      key,
      scope,
      stagelet,
      environments,
      ...valueInput(entry.value),
    }
    drafts.set(id, { entry, identity, name, input, stored: found })
  }
  return [...drafts.values()]
}

/** The API's form: text if the bytes are UTF-8, else base64. */
const valueInput = (bytes: Buffer | undefined): SecretInput => {
  if (bytes === undefined) return {}
  const value = entryText(bytes)
  return value === undefined ? { value_base64: bytes.toString('base64') } : { value }
}

/** The object after the import: existing fields stay, so that only differences are shown. */
const objectOf = ({ identity, name, input, stored }: Draft): KubeObject => {
  const { [annotations.lastApplied]: _applied, ...kept } = stored?.metadata.annotations ?? {}
  const labels = stored?.metadata.labels
  return {
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'StagelySecret',
    metadata: {
      name,
      ...defined({ labels }),
      ...(Object.keys(kept).length > 0 && { annotations: kept }),
    },
    spec: withFields({ projectRef: { name: identity.project }, ...stored?.spec }, input),
  }
}
