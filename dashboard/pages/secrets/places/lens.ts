// The lenses of the page: the same secrets as a list, as keys by services of one stagelet, and as keys by environments or
// stagelets.
import { useQueryState } from '../../../session/team.ts'

export const lenses = ['list', 'stagelet', 'across'] as const
type Lens = (typeof lenses)[number]

export const lensNames: Readonly<Record<Lens, string>> = {
  list: 'List',
  stagelet: 'Stagelet',
  across: 'Across',
}

export const useLens = (): Lens => {
  const [asked] = useQueryState('lens')
  return lenses.find((lens) => lens === asked) ?? 'list'
}

/** What the columns of the lens across are in a project with environments. */
export const useAcross = (): 'environment' | 'stagelet' => {
  const [asked] = useQueryState('by')
  return asked === 'stagelet' ? 'stagelet' : 'environment'
}
