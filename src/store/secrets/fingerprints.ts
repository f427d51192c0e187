// Fingerprints of finished values: equal for equal bytes. They are kept in memory, so that a replica opens each value once.
import { grouped } from '../../kernel/grouped.ts'
import type { KeyBytes } from '../../secrets/aead.ts'
import { fingerprintOf } from '../../secrets/digest.ts'
import { stageletOf } from '../../secrets/place.ts'
import type { HeldValue } from '../../secrets/separation.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { versionId } from '../core/changes.ts'
import type { ProjectState } from '../core/project-state.ts'
import type { OpenedEntry } from '../core/sets.ts'
import type { WriteSession } from '../core/write-session.ts'
import { createFiller, tooLong } from './resolve.ts'
import { openHeads } from './secret-versions.ts'

/** Shorter values may be equal: they are words such as `true`. */
const leastBytes = 8

/** By the digest of a finished value, its fingerprint; undefined: it may be equal. */
export type Fingerprints = ReadonlyMap<string, string | undefined>

/** A digest decides its value, so that they are never out of date. */
const kept = new WeakMap<KeyBytes, Map<string, string | undefined>>()

/** Forgets all others of the project. */
export const keepFingerprints = ({ digestKey }: ProjectState, all: Fingerprints): void => {
  kept.set(digestKey, new Map(all))
}

/** Of values that are not stored. */
export const forgetFingerprints = (
  { digestKey }: ProjectState,
  held: readonly HeldValue[],
): void => {
  for (const { digest } of held) kept.get(digestKey)?.delete(digest)
}

const isShort = ({ entry }: HeldValue): boolean =>
  entry.references === undefined && entry.bytes < leastBytes

const idOfVersion = ({ secretId, version }: Pick<ProjectEntry, 'secretId' | 'version'>): string =>
  versionId(secretId, version)

/** The finished values, of those that one viewer gets. */
const fill = (
  { uid, digestKey }: ProjectState,
  held: readonly HeldValue[],
  opened: ReadonlyMap<string, OpenedEntry>,
): [string, string | undefined][] => {
  const [{ viewer } = { viewer: undefined }] = held
  const parts = new Map(held.flatMap((value) => value.parts).map((part) => [part.secretId, part]))
  const entries = [...parts.values()].map((part) => ({
    ...part,
    value: opened.get(idOfVersion(part))?.value ?? tooLong,
  }))
  const byId = new Map(entries.map((entry) => [entry.secretId, entry]))
  const finish = createFiller(uid, entries, stageletOf(viewer))
  return held.map(({ entry, digest }) => {
    const value = finish(byId.get(entry.secretId)!)
    return [digest, value.length < leastBytes ? undefined : fingerprintOf(digestKey, value)]
  })
}

/** Opens what no judgement before has opened. */
export const fingerprintsFor = async (
  session: WriteSession,
  project: ProjectState,
  held: readonly HeldValue[],
): Promise<Fingerprints> => {
  const before = kept.get(project.digestKey) ?? new Map<string, string | undefined>()
  kept.set(project.digestKey, before)
  const missing = held.filter((value) => !before.has(value.digest) && !isShort(value))
  const parts = new Map(
    missing.flatMap((value) => value.parts).map((part) => [idOfVersion(part), part]),
  )
  const opened = new Map(
    (parts.size === 0 ? [] : await openHeads(session, project.uid, [...parts.values()])).map(
      (entry) => [idOfVersion(entry), entry],
    ),
  )
  for (const values of grouped(missing, ({ viewer }) => viewer).values())
    for (const [digest, fingerprint] of fill(project, values, opened))
      before.set(digest, fingerprint)
  return new Map(held.map(({ digest }) => [digest, before.get(digest)]))
}
