// Receipts of revisions: signed by the key of the audit log, and checked anywhere. Pure.
import type { SignedHead } from './record.ts'
import { documentFault } from './signed-document.ts'
import type { ChainCrypto } from './texts.ts'

export interface Receipt {
  readonly team: string
  readonly project: string
  readonly revision: number
  readonly closed_at: string
  readonly by: readonly string[]
  readonly note?: string | undefined
  readonly written: number
  readonly deleted: number
  readonly keys: readonly string[]
  readonly stagelets: readonly {
    readonly name: string
    readonly state: string
    readonly since?: string | undefined
  }[]
  readonly issued_at: string
  /** The newest row of the audit log at that time. */
  readonly head: SignedHead
}

export interface SignedReceipt {
  readonly receipt: Receipt
  readonly signature: string
  readonly public_key: string
}

/** Why the receipt does not hold; undefined where it does. `publicKey`: the key that must have signed. */
export const receiptFault = (
  crypto: ChainCrypto,
  { receipt, ...signed }: SignedReceipt,
  publicKey?: string,
): Promise<string | undefined> =>
  documentFault(crypto, { kind: 'receipt', document: receipt, ...signed }, publicKey)

const many = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

/** What the receipt says, a sentence a line. */
export const receiptWords = ({ receipt }: SignedReceipt): readonly string[] => {
  const { team, project, revision, by, closed_at, note, keys, written, deleted } = receipt
  const { stagelets, head, issued_at } = receipt
  const more = written + deleted > keys.length ? ', …' : ''
  const why = note === undefined ? '' : ` "${note}"`
  return [
    `Revision ${revision} of ${team}/${project} was made by ${by.join(', ')} at ${closed_at}.${why}`,
    `It changed ${many(written + deleted, 'key')}: ${keys.join(', ')}${more}.`,
    ...stagelets.map(({ name, state, since }) => {
      const when = since === undefined ? '' : ` since ${since}`
      return `${name}: ${state}${when}.`
    }),
    `Issued at ${issued_at}, when the audit log had ${many(head.seq, 'row')}.`,
  ]
}
