// The state of a stagelet in one sentence. Pure.
import type { Stagelet } from '../../../../src/rest/types.ts'
import type { ShownState } from '../../live/states.ts'

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''

const servicesOf = ({ services }: Stagelet): string =>
  services.length === 1 ? 'The service runs' : `All ${services.length} services run`

/** Says for what it waits, what failed, or what runs. */
export const sentenceOf = (stagelet: Stagelet, { kind, word, why }: ShownState): string => {
  const { running_revision: running, services, quarantine } = stagelet
  if (kind === 'ok' && running !== undefined && services.length > 0)
    return `${servicesOf(stagelet)} revision ${running}, which is what is declared.`
  const [failed] = quarantine
  if (word === 'Rolled back' && failed !== undefined)
    return `${revisionText(failed.revision)} broke ${failed.service}, ${revisionText(stagelet.running_revision)} runs.`
  const line = firstLine(why)
  if (line !== '') return /[.!?]$/.test(line) ? line : `${line}.`
  return services.length === 0 ? 'The agent has not reported yet.' : ''
}

/** A revision as it is written everywhere: `r43`. */
export const revisionText = (revision: number | undefined): string =>
  revision === undefined || revision === 0 ? '–' : `r${revision}`
