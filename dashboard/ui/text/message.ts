// What the controller or an agent says in a sentence, as a page shows it: as `said`, and with its moments in the words
// and the time zone of the reader.
import { visibleText } from './visible-text.ts'
import { momentOf, today } from '../time.tsx'

const moment = /(?<!\w)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z(?!\w)/g

/** Pure. */
export const withMoments = (text: string, now: number): string =>
  visibleText(text).replace(moment, (written) => {
    const at = Date.parse(written)
    return Number.isNaN(at) ? written : momentOf(at, now)
  })

export const messageText = (text: string): string => withMoments(text, today.value)
