// Rounds of harm to the leader, in an order that follows from a seed, with what must hold after each.
import { eventually, sleep, type Fleet, type Replica } from './fleet.ts'

const faults = ['kill', 'pause', 'cut from the database', 'cut from everything'] as const
type Fault = (typeof faults)[number]

/** Share of the rounds in which the harm lasts until everything has converged without that replica. */
const lasting: Readonly<Record<Fault, number>> = {
  kill: 0.3,
  pause: 0.05,
  'cut from the database': 0.3,
  'cut from everything': 0.05,
}

export interface Chaos {
  /** Value that each stack must have now. */
  readonly tokens: readonly string[]
  /** Gives two stacks new values; `what` tells them from others. */
  change(what: string): Promise<void>
  /** Throws when something does not hold; else a line that says how it went. */
  round(round: number): Promise<string>
  /** ms until another led, in the slowest round. */
  slowest(): number
  summary(): string
}

/** Mulberry32: the same numbers for the same seed. */
const randomFrom = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const percentile = (sorted: readonly number[], share: number): number =>
  Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)

export const startChaos = (fleet: Fleet, seed: number): Chaos => {
  const random = randomFrom(seed)
  const tokens = fleet.stacks.map((_, i) => `first-value-${i}`)
  const taken: { fault: Fault; ms: number }[] = []
  const convergedMs: number[] = []
  let checkedTo = 0
  let refused = 0
  const counted = new Map<unknown, number>()

  /** Writes of an old leader that the database refused, since the last look at its process. */
  const deposedWrites = async ({ program, client }: Replica): Promise<number> => {
    const { text } = await eventually(10_000, () => client.call('GET', '/metrics'))
    const total = Number(/^stagely_deposed_writes_total\S* (\d+)/m.exec(text)?.[1] ?? NaN)
    const before = counted.get(program) ?? 0
    counted.set(program, total)
    return total - before
  }

  const harm = async ({ index, program }: Replica, fault: Fault): Promise<void> => {
    if (fault === 'kill') await program.kill('SIGKILL')
    else if (fault === 'pause') program.child.kill('SIGSTOP')
    else {
      fleet.network.cut(index, 'database')
      if (fault === 'cut from everything') fleet.network.cut(index, 'front')
    }
  }
  const mend = async ({ index, program }: Replica, fault: Fault): Promise<void> => {
    if (fault === 'kill') await fleet.startReplica(index)
    else if (fault === 'pause') program.child.kill('SIGCONT')
    else fleet.network.heal(index)
  }

  /** Whoever wrote as a leader did so in the newest term there was: terms never go back. */
  const checkFence = async (): Promise<void> => {
    const { rows } = await fleet.database.query<{ rv: string; term: string }>(
      'SELECT rv, term FROM changes WHERE rv > $1 AND term IS NOT NULL ORDER BY rv',
      [checkedTo],
    )
    let newest = 0
    for (const { rv, term } of rows) {
      if (Number(term) < newest)
        throw new Error(`version ${rv} is of term ${term}, after one of term ${newest}`)
      newest = Number(term)
    }
    checkedTo = Number(rows.at(-1)?.rv ?? checkedTo)
  }

  /** ms until another than `old` leads. */
  const replaced = async (oldTerm: number): Promise<number> => {
    const begun = performance.now()
    for (;;) {
      const { term } = await fleet.lease()
      const ms = performance.now() - begun
      if (term > oldTerm) return ms
      if (ms > 30_000) throw new Error(`after 30 s term ${oldTerm} is still the newest`)
      await sleep(50)
    }
  }

  const change = async (what: string): Promise<void> => {
    const [one, other] = [random(), random()].map((r) => Math.floor(r * tokens.length))
    for (const i of new Set([one!, other!])) {
      tokens[i] = `value ${i} ${what}`
      await fleet.setToken(i, tokens[i])
    }
  }

  return {
    tokens,
    change,
    round: async (round) => {
      const fault =
        round < faults.length ? faults[round]! : faults[Math.floor(random() * faults.length)]!
      const { replica, term } = await fleet.leader()
      await sleep(random() * 700)
      await harm(replica, fault)
      const ms = await replaced(term)
      taken.push({ fault, ms })
      const begun = performance.now()
      await change(`of round ${round}`)
      // Agents must find their way while the harm lasts, and not by its end alone.
      const lasts = round < faults.length ? fault === faults[2] : random() < lasting[fault]
      if (lasts) await fleet.converged(tokens, 120_000)
      else await sleep(random() * 2_000)
      await mend(replica, fault)
      await fleet.converged(tokens, 120_000)
      convergedMs.push(performance.now() - begun)
      await checkFence()
      const { term: now } = await fleet.leader()
      if (fault !== 'kill') refused += await deposedWrites(replica)
      return `round ${round}: ${fault}${lasts ? ', lasting' : ''}: term ${term} to ${now}, replaced in ${ms.toFixed(0)} ms, converged in ${convergedMs.at(-1)!.toFixed(0)} ms`
    },
    slowest: () => Math.max(...taken.map((t) => t.ms)),
    summary: () => {
      const lines = faults.map((fault) => {
        const ms = taken.filter((t) => t.fault === fault).map((t) => t.ms)
        ms.sort((a, b) => a - b)
        return `${fault}: ${ms.length} times, replaced in p50 ${percentile(ms, 0.5)} ms, at most ${percentile(ms, 1)} ms`
      })
      const times = [...convergedMs].sort((a, b) => a - b)
      return [
        ...lines,
        `converged in p50 ${percentile(times, 0.5)} ms, at most ${percentile(times, 1)} ms; ${refused} writes of old leaders refused`,
      ].join('\n')
    },
  }
}
