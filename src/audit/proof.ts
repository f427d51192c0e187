// Whether a row of the chain is as it was written.
import { actorDigest, contentDigest, isPerson, linkHash, subjectDigest } from './chain.ts'
import { erasedPrefix } from './erasure.ts'
import type { ChainedRecord } from './record.ts'

const nameless = 'it has a name but nothing that proves it'

const changedPart = (row: ChainedRecord): string | undefined => {
  const { actor_commitment: actor, subject_commitment: subject } = row
  const isErased = (name: string): boolean => name.startsWith(erasedPrefix)
  if (actor.salt === undefined) {
    if (!isErased(row.actor.name)) return nameless
  } else if (actorDigest(actor.salt, row) !== actor.digest) {
    return 'who acted is not what was recorded'
  }
  if (isPerson(row.object.kind) !== (subject !== undefined))
    return 'what it is about is not what was recorded'
  if (subject === undefined) return undefined
  if (subject.salt === undefined) return isErased(row.object.name) ? undefined : nameless
  if (subjectDigest(subject.salt, row) === subject.digest) return undefined
  return 'whom it is about is not what was recorded'
}

/** The fault of a row whose predecessor has the hash `previous`; undefined: no fault. */
export const rowFault = (previous: string, row: ChainedRecord): string | undefined => {
  const changed = changedPart(row)
  if (changed !== undefined) return `row ${row.seq} was changed: ${changed}`
  const { actor_commitment: actor, subject_commitment: subject, seq } = row
  const digest = contentDigest(row, { seq, actor: actor.digest, subject: subject?.digest })
  return linkFault(previous, { seq, digest, hash: row.hash })
}

export const linkFault = (
  previous: string,
  { seq, digest, hash }: { seq: number; digest: string; hash: string },
): string | undefined =>
  linkHash(previous, digest) === hash
    ? undefined
    : `row ${seq} was changed, moved or put in: its hash does not match`
