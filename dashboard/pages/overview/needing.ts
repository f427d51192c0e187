// What needs somebody, as the controller says: the overview, the rail and the title of the window show the same.
import type { paths } from '../../../src/generated/rest-types.ts'
import { api, must } from '../../api/client.ts'
import { changedAt } from '../../live/collections.ts'
import { mapKnown, type Known } from '../../live/known.ts'
import { useQuery } from '../../ui/use-query.ts'

const most = 1_000

type Answer =
  paths['/attention']['get']['responses'][200]['content']['application/json']['attention']
export type Attention = Answer[number]

/** All that one object says; the first row is the worst. */
export interface Needing {
  /** One for each object: several may have one page. */
  readonly key: string
  readonly row: Attention
  readonly more: number
}

const byObject = (rows: readonly Attention[]): readonly Needing[] => {
  const found = new Map<string, Needing>()
  for (const row of rows) {
    const key = `${row.kind}/${row.team}/${row.name}`
    const before = found.get(key)
    found.set(
      key,
      before === undefined ? { key, row, more: 0 } : { ...before, more: before.more + 1 },
    )
  }
  return [...found.values()]
}

/** The worst first. What goes on by itself needs nobody. */
export const useAttention = (team?: string): Known<readonly Needing[]> => {
  const all = useQuery({
    key: ['attention'],
    refetchOn: changedAt.value,
    pollSeconds: 30,
    read: async (signal) => {
      const query = { limit: most }
      const { attention } = await must(api.GET('/attention', { params: { query }, signal }))
      return byObject(attention.filter(({ passes }) => !passes))
    },
  })
  return mapKnown(all, (found) =>
    found.filter(({ row }) => team === undefined || row.team === team),
  )
}
