// Whether a row of the chain is as it was written.
import { erasedPrefix } from './erasure.ts'
import type { ChainedRecord, HiddenRecord } from './lines.ts'
import {
  actorText,
  contentText,
  isPerson,
  linkText,
  subjectText,
  type ChainCrypto,
} from './texts.ts'

const nameless = 'it has a name but nothing that proves it'

const changedPart = async (
  { sha256 }: ChainCrypto,
  row: ChainedRecord,
): Promise<string | undefined> => {
  const { actor_commitment: actor, subject_commitment: subject } = row
  const isErased = (name: string): boolean => name.startsWith(erasedPrefix)
  if (actor.salt === undefined) {
    if (!isErased(row.actor.name)) return nameless
  } else if ((await sha256(actorText(actor.salt, row))) !== actor.digest) {
    return 'who acted is not what was recorded'
  }
  if (isPerson(row.object.kind) !== (subject !== undefined))
    return 'what it is about is not what was recorded'
  if (subject === undefined) return undefined
  if (subject.salt === undefined) return isErased(row.object.name) ? undefined : nameless
  if ((await sha256(subjectText(subject.salt, row))) === subject.digest) return undefined
  return 'whom it is about is not what was recorded'
}

/** The fault of a row whose predecessor has the hash `previous`; undefined: no fault. */
export const rowFault = async (
  crypto: ChainCrypto,
  previous: string,
  row: ChainedRecord,
): Promise<string | undefined> => {
  const changed = await changedPart(crypto, row)
  if (changed !== undefined) return `row ${row.seq} was changed: ${changed}`
  const { actor_commitment: actor, subject_commitment: subject, seq } = row
  const digest = await crypto.sha256(
    contentText(row, { seq, actor: actor.digest, subject: subject?.digest }),
  )
  return linkFault(crypto, previous, { seq, digest, hash: row.hash })
}

export const linkFault = async (
  { sha256 }: ChainCrypto,
  previous: string,
  { seq, digest, hash }: Pick<HiddenRecord, 'seq' | 'digest' | 'hash'>,
): Promise<string | undefined> =>
  (await sha256(linkText(previous, digest))) === hash
    ? undefined
    : `row ${seq} was changed, moved or put in: its hash does not match`
