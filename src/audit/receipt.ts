// What a receipt of a revision says, in words. Pure.
import type { SignedReceipt } from './receipt-schema.ts'
import { issuedText } from './signed-report.ts'

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
    issuedText(issued_at, head),
  ]
}
