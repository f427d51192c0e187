// Makes rows of what the load scripts printed in several turns: medians of the turns, ours beside theirs. Pure.
import { defined } from '../../src/kernel/defined.ts'
import { median, type Row } from './measure.ts'

interface Stats {
  readonly p50: number
  readonly p99: number
}

/** One line of the scripts' output. */
export interface Line {
  readonly test: string
  readonly conc?: number
  readonly watchers?: number
  readonly n?: number
  readonly writes?: number
  readonly perSecond?: number
  readonly ms?: Stats | number
  /** Of a fan-out: when the last watcher heard of the write. */
  readonly last?: Stats
  readonly errors?: readonly string[]
  readonly missed?: number
  readonly cpuSeconds?: { readonly server?: number; readonly database?: number }
}

interface Numbers {
  readonly ms: number
  readonly p99?: number | undefined
  readonly perSecond?: number | undefined
  /** CPU ms each, of the server alone. */
  readonly cpu?: number | undefined
  /** The same, with the server's database. */
  readonly wholeCpu?: number | undefined
}

/** By name of the row. */
export type Measured = ReadonlyMap<string, Numbers>

const nameOf = ({ test, conc, watchers }: Line): string => {
  if (watchers !== undefined) return `${test} N=${watchers}: last`
  return conc === undefined ? test : `${test} c=${conc}`
}

/** One number where a thing was done once. */
const statsOf = ({ last, ms }: Line): { p50: number; p99?: number } | undefined =>
  last ?? (typeof ms === 'number' ? { p50: ms } : ms)

const numbersOf = (line: Line): Numbers | undefined => {
  const stats = statsOf(line)
  if (/^(warmup|delete-extra)/.test(line.test) || stats === undefined) return undefined
  const { errors = [], missed = 0, perSecond, cpuSeconds = {} } = line
  if (errors.length > 0 || missed > 0)
    throw new Error(`${nameOf(line)}: ${missed} missed, ${String(errors[0])}`)
  const { server, database = 0 } = cpuSeconds
  const count = line.n ?? line.writes
  const each = (seconds: number): number | undefined =>
    count === undefined ? undefined : (seconds * 1_000) / count
  return {
    ms: stats.p50,
    p99: stats.p99,
    perSecond,
    ...(server === undefined ? {} : { cpu: each(server), wholeCpu: each(server + database) }),
  }
}

/** The medians of all turns of one server. */
export const mediansOf = (turns: readonly (readonly Line[])[]): Measured => {
  const all = new Map<string, Numbers[]>()
  for (const line of turns.flat()) {
    const numbers = numbersOf(line)
    if (numbers === undefined) continue
    const name = nameOf(line)
    all.set(name, [...(all.get(name) ?? []), numbers])
  }
  const of = (turn: readonly Numbers[], field: keyof Numbers): number | undefined => {
    const values = turn.flatMap((numbers) => numbers[field] ?? [])
    return values.length === 0 ? undefined : median(values)
  }
  return new Map(
    [...all].map(([name, turn]) => [
      name,
      {
        ms: of(turn, 'ms') ?? NaN,
        p99: of(turn, 'p99'),
        perSecond: of(turn, 'perSecond'),
        cpu: of(turn, 'cpu'),
        wholeCpu: of(turn, 'wholeCpu'),
      },
    ]),
  )
}

const rounded = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : Number(value.toPrecision(3))

const shown = (prefix: string, { ms, ...more }: Numbers): Record<string, number> =>
  defined({
    ...(prefix === '' ? {} : { [`${prefix}ms`]: rounded(ms) }),
    [`${prefix}p99`]: rounded(more.p99),
    [`${prefix}per_s`]: rounded(more.perSecond),
    [`${prefix}cpu_ms`]: rounded(more.cpu),
    [`${prefix}whole_cpu_ms`]: rounded(more.wholeCpu),
  }) as Record<string, number>

const ratio = (ours: number | undefined, theirs: number | undefined): number | undefined =>
  ours === undefined || theirs === undefined || theirs === 0 ? undefined : rounded(ours / theirs)

type Ratios = Partial<Record<'ratio_ms' | 'ratio_per_s' | 'ratio_cpu' | 'ratio_whole_cpu', number>>

const ratiosOf = (ours: Numbers, theirs: Numbers): Ratios =>
  defined({
    ratio_ms: ratio(ours.ms, theirs.ms),
    ratio_per_s: ratio(ours.perSecond, theirs.perSecond),
    ratio_cpu: ratio(ours.cpu, theirs.cpu),
    ratio_whole_cpu: ratio(ours.wholeCpu, theirs.wholeCpu),
  })

/** One client as fast as theirs; 16 clients one and a half of its writes a second, two of its reads; lists in half its time. */
const goalOf = (name: string): { readonly of: keyof Ratios; readonly limit: number } => {
  if (name.startsWith('list')) return { of: 'ratio_ms', limit: 0.5 }
  if (!name.endsWith('c=16')) return { of: 'ratio_ms', limit: 1 }
  return { of: 'ratio_per_s', limit: name.startsWith('get') ? 2 : 1.5 }
}

/** What is worse than theirs, and whether the goal is reached. */
const judged = (name: string, ratios: Ratios): Record<string, string | boolean> => {
  const slower = Object.entries(ratios)
    .filter(([key, value]) => (key === 'ratio_per_s' ? value < 1 : value > 1))
    .map(([key]) => key.slice('ratio_'.length))
  const { of, limit } = goalOf(name)
  const is = ratios[of] ?? NaN
  const sign = of === 'ratio_per_s' ? '≥' : '≤'
  return {
    ...(slower.length === 0 ? {} : { slower: slower.join(',') }),
    wanted: `${of} ${sign} ${limit}`,
    reached: of === 'ratio_per_s' ? is >= limit : is <= limit,
  }
}

/** Without `theirs` a row has no ratios. */
export const compare = (server: string, ours: Measured, theirs: Measured | undefined): Row[] =>
  [...ours].map(([name, numbers]) => {
    const other = theirs?.get(name)
    const row = { name: `load ${server} ${name}`, value: numbers.ms, unit: 'ms' }
    if (other === undefined) return { ...row, ...shown('', numbers) }
    const ratios = ratiosOf(numbers, other)
    const all = { ...shown('', numbers), ...shown('theirs_', other), ...ratios }
    return { ...row, ...all, ...judged(name, ratios) }
  })
