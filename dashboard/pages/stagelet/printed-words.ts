// What was printed, in words. Pure.
import type { Printed } from '../../../src/generated/rest-types.ts'
import type { StateKind } from '../../ui/state.tsx'

type ServiceCounts = Printed['services'][number]

interface Word {
  readonly kind: StateKind
  readonly text: string
}

/** `10,000 lines`: as in the rest of the page, English. */
const lines = (count: number): string =>
  `${count.toLocaleString('en')} ${count === 1 ? 'line' : 'lines'}`

/** False where a hit may have been overlooked. */
const isWhole = ({ complete, services }: Printed): boolean =>
  complete && services.every(({ fault }) => fault === undefined)

/** All in one phrase, without its time. */
export const badgeOf = (printed: Printed): Word => {
  const hits = printed.services.flatMap((service) => service.hits)
  const count = hits.reduce((sum, hit) => sum + hit.count, 0)
  const text = `${count.toLocaleString('en')} ${count === 1 ? 'hit' : 'hits'} in ${lines(printed.lines)}`
  if (count > 0) return { kind: 'fail', text }
  return isWhole(printed)
    ? { kind: 'ok', text }
    : { kind: 'warn', text: `${text}, not all lines were read` }
}

const times = (count: number): string =>
  count === 1 ? 'once' : `${count.toLocaleString('en')} times`

/** One sentence for each thing that was found, the worst first. */
export const findingsOf = ({ services, complete }: Printed): Word[] => [
  ...services.flatMap(({ name, hits }) =>
    hits.map(({ key, count }) => ({
      kind: 'fail' as const,
      text: `${key} was printed ${times(count)} by ${name}`,
    })),
  ),
  ...services.flatMap(({ name, fault }) =>
    fault === undefined ? [] : [{ kind: 'warn' as const, text: `${name}: ${fault}` }],
  ),
  ...(complete
    ? []
    : [{ kind: 'warn' as const, text: 'The count ended early, after 20 s or 256 MiB.' }]),
  ...unmaskableOf(services),
]

const unmaskableOf = (services: readonly ServiceCounts[]): Word[] => {
  const keys = [...new Set(services.flatMap(({ unmaskable }) => unmaskable))].sort()
  return keys.map((key) => ({ kind: 'warn', text: `${key}: under 8 bytes, cannot be masked` }))
}
