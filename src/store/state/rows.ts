// The rows of the state: objects as they are stored, the internal row of each project, and the current version of each
// secret. No value of a secret is in them, and keys only wrapped.
import { frozen } from '../../kernel/frozen.ts'
import { keyOf, refOf, type KubeObject, type ObjectRef, type Place } from '../../resources/meta.ts'
import type { StageletSpec } from '../../kinds/stagelet/schema.ts'
import { isOver } from '../../kinds/access-request/state.ts'
import { specOf, statusOf } from '../../kinds/typed.ts'
import type { Layout } from '../../secrets/layout.ts'
import type { SetLines } from '../../secrets/set-lines.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import type { Identified, IsSame, TermsOf } from './table.ts'

/** A stored object. It never changes: a write puts a new row in its place. */
export interface StoredRow extends Identified {
  /** keyOf() of its ref. */
  readonly id: string
  readonly uid: string
  readonly rv: number
  readonly source: string
  /** JSON, as it is stored. */
  readonly text: string
  /** Parsed and frozen. It may be parsed anew later: see keptParsed. */
  readonly object: KubeObject
  /** The parsed object, where it is in memory. */
  readonly kept: KubeObject | undefined
  /** The parsed object, for one use: it is not kept. */
  peek(): KubeObject
}

/** How many rows keep their parsed objects, which take twice the memory of their texts. */
export const keptParsed = 16_384

/** The rows that were parsed last, held weakly, so that replaced rows are freed. */
class LastParsed {
  readonly #rows: WeakRef<ObjectRow>[] = []
  #next = 0

  add(row: ObjectRow): void {
    this.#rows[this.#next]?.deref()?.forget()
    this.#rows[this.#next] = new WeakRef(row)
    this.#next = (this.#next + 1) % keptParsed
  }
}

/** Kinds with many objects, most of which are read once. They have a list of their own, so that they do not evict the others. */
const manyOf = /^(?:StagelySecret|Event)\//
const lastOfMany = new LastParsed()
const lastOfOthers = new LastParsed()

/** Parsed when it is read, and again after many others were parsed. */
class ObjectRow implements StoredRow {
  readonly id: string
  readonly uid: string
  readonly rv: number
  readonly source: string
  readonly text: string
  #object: KubeObject | undefined

  constructor(fields: Omit<StoredRow, 'object' | 'kept' | 'peek'>, object: KubeObject | undefined) {
    this.id = fields.id
    this.uid = fields.uid
    this.rv = fields.rv
    this.source = fields.source
    this.text = fields.text
    if (object !== undefined) this.#keep(object)
  }

  get kept(): KubeObject | undefined {
    return this.#object
  }

  peek(): KubeObject {
    return this.#object ?? (JSON.parse(this.text) as KubeObject)
  }

  forget(): void {
    this.#object = undefined
  }

  get object(): KubeObject {
    return this.#object ?? this.#keep(frozen(JSON.parse(this.text) as KubeObject))
  }

  #keep(object: KubeObject): KubeObject {
    const last = manyOf.test(this.id) ? lastOfMany : lastOfOthers
    last.add(this)
    return (this.#object = object)
  }
}

/** `object` is what `text` says, frozen, where the caller has it. */
export const objectRow = (
  ref: ObjectRef,
  { uid, rv, source, text }: Pick<StoredRow, 'uid' | 'rv' | 'source' | 'text'>,
  object?: KubeObject,
): StoredRow => new ObjectRow({ id: keyOf(ref), uid, rv, source, text }, object)

/** The current version of a secret. */
export interface HeadRow extends Identified {
  /** Uid of the secret. */
  readonly id: string
  readonly projectUid: string
  readonly entry: ProjectEntry
}

/** A deleted secret that can still be restored. */
export interface DeletedSecretRow extends Identified {
  /** Uid of the secret. */
  readonly id: string
  readonly projectUid: string
}

/** The row of a project, beside its object: see projects.ts. Times in ms. */
export interface ProjectRow extends Identified {
  /** Uid of the project. */
  readonly id: string
  readonly namespace: string
  readonly name: string
  /** Wrapped. */
  readonly digestKey: string
  /** Name of the key that wraps the project's keys; undefined: the master key. */
  readonly keyProvider?: string | undefined
  /** The key that seals new versions. */
  readonly dataKey: { readonly id: string; readonly wrapped: string }
  /** Newest closed revision; new versions get this + 1. */
  readonly closed: number
  readonly openedAt?: number | undefined
  readonly lastWriteAt?: number | undefined
  /** By id, until when each change set holds the revision open. */
  readonly changeSets: Readonly<Record<string, number>>
  /** Why the open revision is made. */
  readonly note?: string | undefined
  /** Computed when the row is stored: of the writes that share a commit, only the MAC of the last one is needed. */
  readonly headMac: () => string
  /** From this time on no more writes are expected that belong together with the last one. */
  readonly quietAt: number
  /** Which stagelet is in which environment; absent for a project that never had any. */
  readonly layout?: Layout | undefined
  /** MAC lines of the head set; undefined while they are not checked against `headMac`. */
  readonly lines?: SetLines | undefined
}

/**
 * One text for all ways in which stores let one key be written: Infisical takes `db` and `/db`, AWS a name and its ARN,
 * 1Password titles in any case. Keys that differ in a store may have one text: where that counts, more is refused.
 */
const oneFormOf = (key: string): string =>
  key
    .replace(/^arn:[^:]*:[^:]*:[^:]*:[^:]*:secret:(.*?)(-[A-Za-z0-9]{6})?$/s, '$1')
    .replace(/\/+/g, '/')
    .replace(/^\/|\/$/g, '')
    .toLowerCase()

/** Terms of the indexes: a row is found by each of its terms. */
export const term = {
  kind: (kind: string): string => `kind ${kind}`,
  inNamespace: (namespace: string): string => `in ${namespace}`,
  uid: (uid: string): string => `uid ${uid}`,
  secretsOf: ({ namespace, name }: Place): string => `secret ${namespace}/${name}`,
  secretsWithKey: ({ namespace, name }: Place, key: string) => `key ${namespace}/${name} ${key}`,
  filesOf: ({ namespace, name }: Place): string => `file ${namespace}/${name}`,
  followersOf: ({ namespace, name }: Place, source: string) =>
    `follows ${namespace}/${name} ${source}`,
  /** Secrets whose values may refer to others. */
  templatesOf: ({ namespace, name }: Place): string => `template ${namespace}/${name}`,
  secretsInEnvironments: ({ namespace, name }: Place): string =>
    `secret in environments ${namespace}/${name}`,
  /** Secrets whose values come from stores elsewhere. */
  fromStores: 'from stores',
  /** Secrets that take a key of a store, whichever property of it, and however they write the key. */
  fromStore: (
    namespace: string,
    { store, key }: { readonly store: string; readonly key: string },
  ) => `from store ${namespace}/${store} ${oneFormOf(key)}`,
  stageletsOf: ({ namespace, name }: Place): string => `stagelet ${namespace}/${name}`,
  composeProject: (namespace: string, agent: string, claim: string): string =>
    `compose ${namespace}/${agent} ${claim}`,
  reportsOf: (namespace: string, stageletUid: string): string =>
    `report ${namespace} ${stageletUid}`,
  /** Events of the namespace about the object with this uid. */
  about: (namespace: string, uid: string): string => `about ${namespace} ${uid}`,
  notifiersIn: (namespace: string): string => `notifier ${namespace}`,
  /** Rotations of a project. */
  rotationsOf: ({ namespace, name }: Place): string => `rotation ${namespace}/${name}`,
  policiesIn: (namespace: string): string => `access policy ${namespace}`,
  /** Requests for access that may still change, and emergencies without a review. */
  openRequestsIn: (namespace: string): string => `open access request ${namespace}`,
  terminating: 'terminating',
  /** Of projects. */
  place: ({ namespace, name }: Place): string => `place ${namespace}/${name}`,
  open: 'open',
  /** Of heads and of deleted secrets. */
  headsOf: (projectUid: string): string => `project ${projectUid}`,
  referring: (projectUid: string): string => `referring ${projectUid}`,
} as const

/** Names the Compose project that a stagelet claims, as far as its spec tells. */
export const claimOf = ({ compose }: StageletSpec): string =>
  compose.projectName === undefined ? `in ${compose.directory}` : `named ${compose.projectName}`

const isOpenRequest = (request: KubeObject): boolean => {
  const { state = 'Pending', decisions = [] } = statusOf('AccessRequest', request)
  const isEmergency = specOf('AccessRequest', request).emergency === true
  return !isOver(state) || (isEmergency && !decisions.some(({ action }) => action === 'Review'))
}

const termsOfKind: Readonly<Record<string, (object: KubeObject) => string[]>> = {
  StagelySecret: (object) => {
    const { key, type, valueFrom, references, environments } = specOf('StagelySecret', object)
    const project = projectRefOf(object)
    const source = valueFrom?.secretRef?.name
    return [
      term.secretsOf(project),
      term.secretsWithKey(project, key),
      ...(type === 'file' ? [term.filesOf(project)] : []),
      ...(source === undefined ? [] : [term.followersOf(project, source)]),
      ...(environments === undefined ? [] : [term.secretsInEnvironments(project)]),
      ...(references === true ? [term.templatesOf(project)] : []),
      ...(valueFrom?.external === undefined
        ? []
        : [term.fromStores, term.fromStore(project.namespace, valueFrom.external)]),
    ]
  },
  Stagelet: (object) => {
    const spec = specOf('Stagelet', object)
    const { namespace } = refOf(object)
    return [
      term.stageletsOf(projectRefOf(object)),
      term.composeProject(namespace, spec.agentRef.name, claimOf(spec)),
    ]
  },
  Observation: (object) => {
    const { stageletUid } = specOf('Observation', object)
    return [term.reportsOf(refOf(object).namespace, stageletUid)]
  },
  Event: (object) => {
    const { uid } = specOf('Event', object).involvedObject
    return uid === undefined ? [] : [term.about(refOf(object).namespace, uid)]
  },
  Notifier: (object) => [term.notifiersIn(refOf(object).namespace)],
  AccessPolicy: (object) => [term.policiesIn(refOf(object).namespace)],
  AccessRequest: (object) =>
    isOpenRequest(object) ? [term.openRequestsIn(refOf(object).namespace)] : [],
  Rotation: (object) => [term.rotationsOf(projectRefOf(object))],
  Namespace: ({ metadata }) => (metadata.deletionTimestamp === undefined ? [] : [term.terminating]),
}

/** Projects that secrets name. */
export const namedProjects = (objects: { terms(): Iterable<string> }): ObjectRef[] => {
  const [begin] = term.secretsOf({ namespace: '', name: '' }).split('/')
  const refs: ObjectRef[] = []
  for (const found of objects.terms()) {
    if (!found.startsWith(begin!)) continue
    const [namespace = '', name = ''] = found.slice(begin!.length).split('/')
    refs.push({ kind: 'Project', namespace, name })
  }
  return refs
}

const termsFor = ({ id, uid }: StoredRow, object: () => KubeObject): string[] => {
  const kind = id.slice(0, id.indexOf('/'))
  const namespace = id.slice(kind.length + 1, id.indexOf('/', kind.length + 1))
  const own = termsOfKind[kind]?.(object()) ?? []
  return [
    term.kind(kind),
    term.uid(uid),
    ...(namespace === '' ? [] : [term.inNamespace(namespace)]),
    ...own,
  ]
}

export const objectTerms: TermsOf<StoredRow> = (row) => termsFor(row, () => row.object)

/** A write of a status leaves the spec as it is: the same object. Only the terms of a request follow from its status. */
export const hasSameTerms: IsSame<StoredRow> = ({ uid, kept: before }, { uid: now, kept: after }) =>
  uid === now &&
  before?.kind !== 'AccessRequest' &&
  before?.spec !== undefined &&
  before.spec === after?.spec &&
  before.metadata.deletionTimestamp === after.metadata.deletionTimestamp

/** The same without keeping the parsed object: most rows are not read soon after the start. */
export const termsAtLoad: TermsOf<StoredRow> = (row) => termsFor(row, () => row.peek())

export const projectTerms: TermsOf<ProjectRow> = (row) => [
  term.place(row),
  term.inNamespace(row.namespace),
  ...(row.openedAt === undefined ? [] : [term.open]),
]

export const deletedSecretTerms: TermsOf<DeletedSecretRow> = ({ projectUid }) => [
  term.headsOf(projectUid),
]

export const headTerms: TermsOf<HeadRow> = ({ projectUid, entry }) => [
  term.headsOf(projectUid),
  ...(entry.references === undefined ? [] : [term.referring(projectUid)]),
]
