// The text of a cell of a lens: a sentence for screen readers, and where the value comes from.
// Pure.
import { isForController, sees } from '../../../src/secrets/place.ts'
import type { SetEntry } from '../../../src/secrets/set-entry.ts'
import type { Edit } from '../../staging/staging.ts'
import type { ClassOf } from './classes.ts'
import type { Cell, Matrix } from '../project/matrix.ts'
import type { ServiceRef } from '../project/run-count.ts'
import { isSameIn, winnerOf, type SetIndex } from '../project/set-index.ts'

/** `project·web`, `own·global`: which of the four places wins. */
export const winnerPlace = ({ scope, stagelet }: Pick<SetEntry, 'scope' | 'stagelet'>): string =>
  `${stagelet === undefined ? 'project' : 'own'}·${scope}`

/** Letters of the classes of what a cell holds, each once. */
export const lettersOf = (cell: Cell, classOf: ClassOf): string =>
  [...new Set(cell.winners.map(({ secretId }) => classOf(secretId)?.letter ?? ''))]
    .filter((letter) => letter !== '')
    .sort()
    .join(' ')

const valueOf = (letters: string): string =>
  letters === '' ? '' : letters.includes(' ') ? `, values ${letters}` : `, value ${letters}`

const runsIn = ({ word, current, total }: Cell): string => {
  const services = `${total} ${total === 1 ? 'service' : 'services'}`
  if (word === 'current') return `${services} run the newest value`
  if (word === 'behind') return `${current} of ${services} run the newest value`
  return `it is not known whether ${services} run the newest value`
}

/** A key in all services of a stagelet. */
export const acrossSentence = (
  key: string,
  stagelet: string,
  { cell, letters, isMissing }: { cell: Cell | undefined; letters: string; isMissing: boolean },
): string => {
  const where = `${key} in ${stagelet}`
  if (cell === undefined)
    return isMissing ? `${where}: missing here, other stagelets have it` : `${where}: not used`
  if (cell.total === 0) return `${where}: from the Compose file`
  return `${where}: ${runsIn(cell)}${valueOf(letters)}`
}

/** A key of one scope in an environment. */
export const environmentSentence = (
  where: string,
  {
    from,
    cell,
    letter,
    isMissing,
  }: {
    /** undefined: its services see no such key. */
    from: 'Own' | 'Inherited' | undefined
    cell: Cell | undefined
    letter: string
    isMissing: boolean
  },
): string => {
  if (from === undefined)
    return isMissing ? `${where}: missing here, other environments have it` : `${where}: not used`
  const whose = from === 'Own' ? 'its own' : 'inherited from the project'
  const runs = cell === undefined || cell.total === 0 ? 'no service sees it' : runsIn(cell)
  return `${where}: ${whose}, ${runs}${valueOf(letter)}`
}

const states = {
  current: 'runs it',
  behind: 'does not run it yet',
  unknown: 'it is not known whether it runs',
  unseen: '',
}

/** A key in one service. */
export const serviceSentence = (
  key: string,
  { stagelet, service }: ServiceRef,
  cell: Cell | undefined,
  letters: string,
): string => {
  const where = `${key} in ${service} of ${stagelet}`
  const winner = cell?.winners[0]
  if (cell === undefined) return `${where}: not used`
  if (winner === undefined) return `${where}: from the Compose file`
  return `${where}: ${winnerPlace(winner)}, version ${winner.version}, ${states[cell.word]}${valueOf(letters)}`
}

/** A staged edit that may change what these services see under its key. */
export const isStagedIn = (
  edit: Edit,
  serviceRefs: readonly ServiceRef[],
  { head, cell }: { readonly head: SetIndex; readonly cell?: Cell | undefined },
): boolean => {
  if (cell?.winners.some(({ secretId }) => secretId === edit.secretId) === true) return true
  const target = edit.target ?? {}
  const scope = target.scope ?? edit.scope
  const stagelet = 'stagelet' in target ? (target.stagelet ?? undefined) : edit.stagelet
  const before = head.of(edit.key).find(({ secretId }) => secretId === edit.secretId)
  if (edit.fields?.['audience'] === 'Controller' || (before && isForController(before)))
    return false
  const staged = edit.fields?.['environments'] as readonly string[] | null | undefined
  const environments = staged === undefined ? before?.environments : (staged ?? undefined)
  const place = { scope, stagelet, environments }
  return serviceRefs.some((serviceRef) => sees(place, serviceRef, head.layout))
}

export type Versus = 'same' | 'other' | 'gone' | 'new'

/** What a service had under a key in an earlier set, against now; undefined: nothing in both. */
export const versusOf = (
  then: SetIndex,
  { head }: Pick<Matrix, 'head'>,
  key: string,
  serviceRefs: readonly ServiceRef[],
): Versus | undefined => {
  const found = new Set<Versus>()
  for (const serviceRef of serviceRefs) {
    const [previous, next] = [winnerOf(then, serviceRef, key), winnerOf(head, serviceRef, key)]
    if (previous === undefined && next === undefined) continue
    if (previous === undefined) found.add('new')
    else if (next === undefined) found.add('gone')
    else found.add(isSameIn(then, head, serviceRef, key) ? 'same' : 'other')
  }
  if (found.size < 2) return [...found][0]
  return 'other'
}

export const versusWords: Readonly<Record<Versus, string>> = {
  same: 'same as now',
  other: 'different now',
  gone: 'deleted since',
  new: 'added since',
}
