// The state of a stagelet in one sentence. Pure.
import type { Stagelet } from '../../../src/generated/rest-types.ts'
import type { ShownState } from '../../live/states.ts'
import { revisionText } from '../revisions/words.ts'

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''

const servicesOf = ({ services }: Stagelet): string =>
  services.length === 1 ? 'The service runs' : `All ${services.length} services run`

/** What failed with the newest revision: an earlier one may be in quarantine still. */
export const lastFailed = (
  { quarantine }: Stagelet,
  name?: string,
): Stagelet['quarantine'][number] | undefined =>
  quarantine
    .filter(({ service }) => name === undefined || service === name)
    .sort((a, b) => b.revision - a.revision)[0]

/** Says for what it waits, what failed, or what runs. */
export const sentenceOf = (stagelet: Stagelet, { kind, word, why }: ShownState): string => {
  const { running_revision: running, services } = stagelet
  if (kind === 'ok' && running !== undefined && services.length > 0)
    return `${servicesOf(stagelet)} revision ${running}, as declared.`
  const failed = lastFailed(stagelet)
  // On the way back nothing runs as a whole yet.
  if (word === 'Rolled back' && failed !== undefined && running !== undefined)
    return `${revisionText(failed.revision)} broke ${failed.service}, ${revisionText(running)} runs.`
  const line = firstLine(why)
  if (line !== '') return /[.!?]$/.test(line) ? line : `${line}.`
  return services.length === 0 ? 'The agent has not reported yet.' : ''
}
