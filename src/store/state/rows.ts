// What the state holds: objects as they are stored, what a Project object does not show, and the head of
// each project's set. No value of a secret, and no key but wrapped.
import { frozen } from '../../kernel/frozen.ts'
import { keyOf, refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import type { SecretSpec } from '../../resources/stagelysecret.ts'
import type { StageletSpec } from '../../resources/stagelet.ts'
import type { SetLines } from '../../secrets/set-lines.ts'
import type { SetEntry } from '../../secrets/visible.ts'
import { projectOf } from '../project-ref.ts'
import type { Identified, TermsOf } from './table.ts'

/** An object as stored. Never changed in place: writes put a new one. */
export interface StoredRow extends Identified {
  /** keyOf() its ref. */
  readonly id: string
  readonly uid: string
  readonly rv: number
  readonly source: string
  /** What is stored. */
  readonly text: string
  /** Frozen. Not the same one for ever: see keptParsed. */
  readonly object: KubeObject
  /** The same for one look: it is not kept. */
  peek(): KubeObject
}

/** What is parsed takes twice as much memory as its text. */
export const keptParsed = 16_384

/** Rows whose text was parsed last. Held weakly: a row that was replaced shall go. */
class LastParsed {
  readonly #rows: WeakRef<ObjectRow>[] = []
  #next = 0

  add(row: ObjectRow): void {
    this.#rows[this.#next]?.deref()?.forget()
    this.#rows[this.#next] = new WeakRef(row)
    this.#next = (this.#next + 1) % keptParsed
  }
}

/** Many of these are looked into once: they push out nothing that loops look at again and again. */
const manyOf = /^(?:StagelySecret|Event)\//
const lastOfMany = new LastParsed()
const lastOfOthers = new LastParsed()

/** Parsed when it is looked into, and again after many others were. */
class ObjectRow implements StoredRow {
  readonly id: string
  readonly uid: string
  readonly rv: number
  readonly source: string
  readonly text: string
  #object: KubeObject | undefined

  constructor(of: Omit<StoredRow, 'object' | 'peek'>) {
    this.id = of.id
    this.uid = of.uid
    this.rv = of.rv
    this.source = of.source
    this.text = of.text
  }

  peek(): KubeObject {
    return this.#object ?? (JSON.parse(this.text) as KubeObject)
  }

  forget(): void {
    this.#object = undefined
  }

  get object(): KubeObject {
    if (this.#object !== undefined) return this.#object
    const last = manyOf.test(this.id) ? lastOfMany : lastOfOthers
    last.add(this)
    return (this.#object = frozen(JSON.parse(this.text) as KubeObject))
  }
}

export const objectRow = (
  ref: ObjectRef,
  { uid, rv, source, text }: Pick<StoredRow, 'uid' | 'rv' | 'source' | 'text'>,
): StoredRow => new ObjectRow({ id: keyOf(ref), uid, rv, source, text })

/** The newest version of a secret, and whose set it is in. */
export interface HeadRow extends Identified {
  /** Of the secret. */
  readonly id: string
  readonly projectUid: string
  readonly entry: SetEntry
}

/** A deleted secret that can still be restored. */
export interface BuriedRow extends Identified {
  /** Of the secret. */
  readonly id: string
  readonly projectUid: string
}

/** What a Project object does not show: see projects.ts. Times in ms. */
export interface ProjectRow extends Identified {
  /** Uid of the project. */
  readonly id: string
  readonly namespace: string
  readonly name: string
  /** Wrapped. */
  readonly digestKey: string
  /** Name of the key that wraps its keys; undefined: the master key. */
  readonly keyProvider?: string | undefined
  /** The key that seals new versions. */
  readonly dataKey: { readonly id: string; readonly wrapped: string }
  /** Newest closed revision; new versions get this + 1. */
  readonly closed: number
  readonly openedAt?: number | undefined
  readonly lastWriteAt?: number | undefined
  /** Change sets that hold the revision open, with the time that each one does. */
  readonly changeSets: Readonly<Record<string, number>>
  /** Why the open revision is made. */
  readonly note?: string | undefined
  /** Made once it is asked for: of writes that share a commit, only the last one's is stored. */
  readonly headMac: () => string
  /** From then on nothing new is expected to arrive that belongs together with what came last. */
  readonly quietAt: number
  /** MAC lines of the head set; undefined until they were checked against `headMac`. */
  readonly lines?: SetLines | undefined
}

/** Terms of the look-ups that writes and reads make. */
export const term = {
  kind: (kind: string): string => `kind ${kind}`,
  inNamespace: (namespace: string): string => `in ${namespace}`,
  uid: (uid: string): string => `uid ${uid}`,
  secretsOf: ({ namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>): string =>
    `secret ${namespace}/${name}`,
  secretsWithKey: ({ namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>, key: string) =>
    `key ${namespace}/${name} ${key}`,
  filesOf: ({ namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>): string =>
    `file ${namespace}/${name}`,
  followersOf: ({ namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>, source: string) =>
    `follows ${namespace}/${name} ${source}`,
  /** Secrets that take their values from stores elsewhere. */
  fromStores: 'from stores',
  stageletsOf: ({ namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>): string =>
    `stagelet ${namespace}/${name}`,
  composeProject: (namespace: string, agent: string, claim: string): string =>
    `compose ${namespace}/${agent} ${claim}`,
  reportsOf: (namespace: string, stageletUid: string): string =>
    `report ${namespace} ${stageletUid}`,
  notifiersIn: (namespace: string): string => `notifier ${namespace}`,
  /** Rotations of a project. */
  rotationsOf: ({ namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>): string =>
    `rotation ${namespace}/${name}`,
  terminating: 'terminating',
  /** Of projects. */
  place: ({ namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>): string =>
    `place ${namespace}/${name}`,
  open: 'open',
  /** Of heads and of deleted secrets. */
  headsOf: (projectUid: string): string => `project ${projectUid}`,
  referring: (projectUid: string): string => `referring ${projectUid}`,
} as const

/** By which one Compose project is claimed, as far as the spec tells. */
export const claimOf = ({ compose }: StageletSpec): string =>
  compose.projectName === undefined ? `in ${compose.directory}` : `named ${compose.projectName}`

const termsOfKind: Readonly<Record<string, (object: KubeObject) => string[]>> = {
  StagelySecret: (object) => {
    const { key, type, valueFrom } = object.spec as SecretSpec
    const project = projectOf(object)
    const source = valueFrom?.secretRef?.name
    return [
      term.secretsOf(project),
      term.secretsWithKey(project, key),
      ...(type === 'file' ? [term.filesOf(project)] : []),
      ...(source === undefined ? [] : [term.followersOf(project, source)]),
      ...(valueFrom?.external === undefined ? [] : [term.fromStores]),
    ]
  },
  Stagelet: (object) => {
    const spec = object.spec as unknown as StageletSpec
    const { namespace } = refOf(object)
    return [
      term.stageletsOf(projectOf(object)),
      term.composeProject(namespace, spec.agentRef.name, claimOf(spec)),
    ]
  },
  Observation: (object) => {
    const { stageletUid } = object.spec as { stageletUid: string }
    return [term.reportsOf(refOf(object).namespace, stageletUid)]
  },
  Notifier: (object) => [term.notifiersIn(refOf(object).namespace)],
  Rotation: (object) => [
    term.rotationsOf({ namespace: refOf(object).namespace, name: projectOf(object).name }),
  ],
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

/** The same of a row that nobody has looked into yet, and may not for long. */
export const termsAtLoad: TermsOf<StoredRow> = (row) => termsFor(row, () => row.peek())

export const projectTerms: TermsOf<ProjectRow> = (row) => [
  term.place(row),
  term.inNamespace(row.namespace),
  ...(row.openedAt === undefined ? [] : [term.open]),
]

export const buriedTerms: TermsOf<BuriedRow> = ({ projectUid }) => [term.headsOf(projectUid)]

export const headTerms: TermsOf<HeadRow> = ({ projectUid, entry }) => [
  term.headsOf(projectUid),
  ...(entry.references === undefined ? [] : [term.referring(projectUid)]),
]
