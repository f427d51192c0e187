// Writes that share a transaction read together, before the first of them begins: for what each would
// ask in its own turn, all of them would wait. What an earlier one may have changed is read again.
import { keyOf, refOf, type KubeObject, type ObjectRef } from '../resources/meta.ts'
import type { SecretSpec } from '../resources/stagelysecret.ts'
import { projectOf } from './project-ref.ts'
import { namespaceOf } from './read-ahead.ts'
import { readProject } from './projects.ts'
import { readNeighbours } from './secret-neighbours.ts'
import { loadHeadRow } from './secret-versions.ts'
import { SessionReads } from './session-reads.ts'
import type { Queryable } from './sql.ts'
import { stageletsOf } from './stagelet-writes.ts'
import type { AboutObject, ChangeEvent } from './store.ts'
import { followersOf } from './values/followers.ts'

const specOf = (secret: KubeObject): SecretSpec => secret.spec as SecretSpec

const readNew = async (reads: SessionReads, secret: KubeObject): Promise<void> => {
  const project = projectOf(secret)
  await Promise.all([
    reads.prefetch([project]),
    readProject(reads, project),
    readNeighbours(reads, secret),
    stageletsOf(reads, project),
    followersOf(reads, refOf(secret), project.name),
  ])
}

const readStored = async (reads: SessionReads, ref: ObjectRef): Promise<void> => {
  const row = await reads.fetch(ref)
  if (row === undefined) return
  const project = projectOf(row.object)
  await Promise.all([
    reads.prefetch([project]),
    readProject(reads, project),
    loadHeadRow(reads, row.uid),
  ])
}

/** The same questions, word for word, as the write will ask. */
const read = async (reads: SessionReads, { ref, created }: AboutObject): Promise<void> => {
  const place = reads.prefetch([ref, ...namespaceOf(ref)])
  if (ref.kind !== 'StagelySecret') return place
  if (created !== undefined) await Promise.all([place, readNew(reads, created)])
  else await place.then(() => readStored(reads, ref))
}

/** Others may meet it by its name and its key alone. */
const isPlain = (object: KubeObject): boolean =>
  object.kind === 'StagelySecret' &&
  specOf(object).type === 'env' &&
  specOf(object).valueFrom === undefined

interface Ahead {
  readonly reads: SessionReads
  readonly done: Promise<void>
}

export class GroupReads {
  readonly #ahead = new Map<AboutObject, Ahead>()
  /** What the writes so far have changed; undefined once one of them may have changed anything. */
  #changed: KubeObject[] | undefined = []

  /** Sends the reads, and does not wait for them. After a write that does not say what it is about, nothing is sure. */
  constructor(tx: Queryable, writes: readonly (AboutObject | undefined)[]) {
    for (const about of writes) {
      if (about === undefined) break
      const reads = new SessionReads(tx)
      const done = read(reads, about)
      done.catch(() => undefined)
      this.#ahead.set(about, { reads, done })
    }
  }

  /** What was read for the write; undefined where it may have changed since. */
  async of(about: AboutObject | undefined): Promise<SessionReads | undefined> {
    const ahead = about === undefined ? undefined : this.#ahead.get(about)
    if (about === undefined || ahead === undefined) return undefined
    await ahead.done
    return this.#isTrueFor(about) ? ahead.reads : undefined
  }

  #isTrueFor({ ref, created }: AboutObject): boolean {
    const key = created === undefined ? undefined : specOf(created).key
    const meets = (object: KubeObject): boolean =>
      keyOf(refOf(object)) === keyOf(ref) || specOf(object).key === key
    return this.#changed?.some(meets) === false
  }

  /** What a write has done. */
  note(events: readonly ChangeEvent[]): void {
    const objects = events.flatMap(({ object, previous = object }) => [object, previous])
    if (events.length > 1 || !objects.every(isPlain)) this.#changed = undefined
    else this.#changed?.push(...objects)
  }
}
