// What a report says of containers with secrets that came or went, as entries of the activity log. Pure.
import { toFineTimestamp, type Clock } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import type { ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import type { ObjectOf } from '../../../src/kinds/typed.ts'
import type { ActivityEntry, ContainerRecord } from '../../../src/store/core/activity-entry.ts'

/** Containers that are there, by id. */
const thereIn = (spec: ObservationSpec | undefined): Map<string, ContainerRecord> =>
  new Map(
    (spec?.services ?? []).flatMap(({ name: service, digests, oldest = [] }) =>
      oldest.flatMap(({ id, made }, i) => {
        const digest = digests[i] ?? ''
        return digest === '' ? [] : [[id, { service, digest, made }] as const]
      }),
    ),
  )

const goneIn = (spec: ObservationSpec | undefined): Map<string, ContainerRecord> =>
  new Map(
    (spec?.removed ?? []).map(({ id, service, digest, made, at }) => [
      id,
      { service, digest, removed: at, ...defined({ made }) },
    ]),
  )

interface ContainerDeps {
  readonly agent: ObjectOf<'Agent'> | undefined
  readonly clock: Pick<Clock, 'now'>
  /** How many of so many rows may be made. */
  readonly take: (wanted: number) => number
}

export const containerActivity = (
  place: Pick<ActivityEntry, 'subject' | 'namespace' | 'project' | 'stagelet'>,
  { old, spec }: { readonly old: ObservationSpec | undefined; readonly spec: ObservationSpec },
  { agent, clock, take }: ContainerDeps,
): ActivityEntry[] => {
  // By how much the machine's clock is ahead.
  const skewMs = agent?.status?.clockSkewMs ?? 0
  const fixed = (at: string | undefined): string | undefined => {
    const ms = Date.parse(at ?? '') - skewMs
    return Number.isNaN(ms) ? undefined : toFineTimestamp(ms)
  }
  const [wasThere, wasGone] = [thereIn(old), goneIn(old)]
  const came = [...thereIn(spec)].filter(([id]) => !wasThere.has(id))
  const went = [...goneIn(spec)].filter(([id]) => !wasGone.has(id))
  const all = [...came, ...went]
  if (all.length === 0) return []
  const entryOf = (mark: string, detail: ContainerRecord): ActivityEntry => ({
    ...place,
    kind: 'container',
    mark: `container ${mark}`,
    at: clock.now(),
    detail,
  })
  const surplus = all.length - take(all.length)
  const kept = all
    .slice(surplus)
    .map(([id, { service, digest, made, removed }]) =>
      entryOf(id, { service, digest, ...defined({ made: fixed(made), removed: fixed(removed) }) }),
    )
  const more = { service: '', digest: '', uncounted: surplus }
  return surplus === 0 ? kept : [...kept, entryOf('more', more)]
}
