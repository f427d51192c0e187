// What happened, as the API tells it. The stream does not carry it: it is asked for again after something has changed.
import { useEffect, useRef, useState } from 'preact/hooks'
import { defined } from '../../../src/kernel/defined.ts'
import { api, must } from '../../api/client.ts'
import type { Happened } from '../../../src/generated/rest-types.ts'
import { thisSecond } from '../../api/clock.ts'
import { agents, projects, stagelets } from '../../live/collections.ts'
import { partOf, type Known } from '../../live/known.ts'
import { usePages, type Pages } from '../../ui/use-pages.ts'
import { useQuery } from '../../ui/use-query.ts'

export interface ActivityQuery {
  readonly team?: string
  readonly project?: string
  readonly stagelet?: string
  readonly kind?: Happened['kind']
}

const pageSize = 100

interface Seen {
  readonly world: readonly unknown[]
  readonly at: number
  readonly version: number
}

/** Another number once the world has changed, at most once in so many seconds. */
const useWorldVersion = (seconds: number): number => {
  const world = [projects.list.value, stagelets.list.value, agents.list.value].map((list) =>
    partOf<unknown>(list),
  )
  const latest = useRef<readonly unknown[]>(world)
  latest.current = world
  const [last, setLast] = useState<Seen>(() => ({ world, at: thisSecond.peek(), version: 0 }))
  const isOther = world.some((rows, i) => rows !== last.world[i])
  useEffect(() => {
    if (!isOther) return undefined
    return thisSecond.subscribe((at) => {
      if (at - last.at >= seconds * 1000)
        setLast({ world: latest.current, at, version: last.version + 1 })
    })
  }, [isOther, last])
  return last.version
}

export const useActivity = (filter: ActivityQuery): Pages<Happened> =>
  usePages([filter], async (cursor, signal) => {
    const query = { ...filter, ...cursor, limit: pageSize }
    const page = await must(api.GET('/activity', { params: { query }, ...defined({ signal }) }))
    return { rows: page.activity, next: page.next_cursor }
  })

/** The newest rows; kept up to date. */
export const useNewest = (
  filter: ActivityQuery,
  { limit, seconds }: { readonly limit: number; readonly seconds: number },
): Known<readonly Happened[]> =>
  useQuery({
    key: ['activity', filter, limit],
    refetchOn: useWorldVersion(seconds),
    read: async (signal) => {
      const query = { ...filter, limit }
      return (await must(api.GET('/activity', { params: { query }, signal }))).activity
    },
  })
