// What is read of answers to outbound calls: pure.
import { StagelyError } from '../../src/kernel/errors.ts'
import type { EgressAnswer } from './gate.ts'

const mostDepth = 32

/** JSON of an answer. A text that nests deeper than anything that is meant is refused before it is parsed. */
export const parseAnswer = (text: string): unknown => {
  let depth = 0
  for (const [found] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (found === '[' || found === '{') depth += 1
    else if (found === ']' || found === '}') depth -= 1
    if (depth > mostDepth)
      throw new StagelyError('BadRequest', `the answer nests deeper than ${mostDepth}`)
  }
  try {
    return JSON.parse(text)
  } catch {
    throw new StagelyError('BadRequest', 'the answer is not JSON')
  }
}

/** Of a header, in milliseconds. */
const timeOf = (text = ''): number | undefined => {
  const at = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}

/**
 * How long `Retry-After` asks to wait, in milliseconds; undefined: the answer names no time. A time is of the
 * clock of the server, which may not be ours.
 */
export const retryAfterMs = (
  { headers }: Pick<EgressAnswer, 'headers'>,
  now: number,
): number | undefined => {
  const text = headers['retry-after']?.trim() ?? ''
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000
  const at = timeOf(text)
  return at === undefined ? undefined : Math.max(0, at - (timeOf(headers['date']) ?? now))
}
