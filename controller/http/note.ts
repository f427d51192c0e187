// Why a change is made, as the header of a write says: kept with the revision.
import { StagelyError } from '../../src/kernel/errors.ts'
import type { AppContext } from './env.ts'

const longest = 1_000

const refusal = (): StagelyError =>
  new StagelyError(
    'BadRequest',
    `header Stagely-Note must be percent-encoded UTF-8 of 1 to ${longest} characters, without control characters`,
  )

/** Header `Stagely-Note: TEXT`, percent-encoded; undefined where it is absent. */
export const noteOf = (c: AppContext): string | undefined => {
  const header = c.req.header('stagely-note')
  if (header === undefined) return undefined
  let text: string
  try {
    text = decodeURIComponent(header).trim()
  } catch {
    throw refusal()
  }

  if (text === '' || text.length > longest || /[\0-\x09\x0b-\x1f\x7f]/.test(text)) throw refusal()
  return text
}
