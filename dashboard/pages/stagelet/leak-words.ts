// A leak test in words. Pure.
import type { LeakTest } from '../../../src/rest/types.ts'
import type { StateKind } from '../../ui/state.tsx'

type ServiceCounts = LeakTest['services'][number]

interface Word {
  readonly kind: StateKind
  readonly text: string
}

export const isTestOpen = ({ state }: LeakTest): boolean =>
  state === 'waiting' || state === 'running'

/** `10,000 lines`: as in the rest of the page, English. */
const lines = (count: number): string =>
  `${count.toLocaleString('en')} ${count === 1 ? 'line' : 'lines'}`

/** False where a hit may have been overlooked. */
const isWhole = ({ complete, services }: LeakTest): boolean =>
  complete === true && services.every(({ fault }) => fault === undefined)

/** The whole test in one phrase, without its time. */
export const badgeOf = (test: LeakTest): Word => {
  if (test.state === 'waiting') return { kind: 'wait', text: 'waiting for the agent' }
  if (test.state === 'running') return { kind: 'run', text: `${lines(test.lines)} counted so far` }
  if (test.state !== 'done') {
    const words = {
      agent_away: 'agent offline',
      agent_too_old: 'agent too old',
      failed: 'not done',
    }
    return { kind: 'unknown', text: words[test.state] }
  }
  const hits = test.services.flatMap((service) => service.hits)
  const count = hits.reduce((sum, hit) => sum + hit.count, 0)
  const text = `${count.toLocaleString('en')} ${count === 1 ? 'hit' : 'hits'} in ${lines(test.lines)}`
  if (count > 0) return { kind: 'fail', text }
  return isWhole(test)
    ? { kind: 'ok', text }
    : { kind: 'warn', text: `${text}, not all lines were read` }
}

const times = (count: number): string =>
  count === 1 ? 'once' : `${count.toLocaleString('en')} times`

/** One sentence for each thing that was found, the worst first. */
export const findingsOf = ({ services, complete, message, state }: LeakTest): Word[] => [
  ...(message === undefined ? [] : [{ kind: 'unknown' as const, text: message }]),
  ...services.flatMap(({ name, hits }) =>
    hits.map(({ key, count }) => ({
      kind: 'fail' as const,
      text: `${key} was printed ${times(count)} by ${name}`,
    })),
  ),
  ...services.flatMap(({ name, fault }) =>
    fault === undefined ? [] : [{ kind: 'warn' as const, text: `${name}: ${fault}` }],
  ),
  ...(state === 'done' && complete === false
    ? [{ kind: 'warn' as const, text: 'The test ended early, after 60 s or 256 MiB.' }]
    : []),
  ...unmaskableOf(services),
]

const unmaskableOf = (services: readonly ServiceCounts[]): Word[] => {
  const keys = [...new Set(services.flatMap(({ unmaskable }) => unmaskable))].sort()
  return keys.map((key) => ({ kind: 'warn', text: `${key}: under 8 bytes, cannot be masked` }))
}
