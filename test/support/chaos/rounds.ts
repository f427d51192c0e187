// One round: faults and changes at once, then peace; and in the end exactly what is declared.
import { realClock } from '../../../src/kernel/clock.ts'
import { ApiError } from '../programs/processes.ts'
import { createRandom, type Random } from '../random.ts'
import { chooseFaults, choosePlainFault, type Fault } from './faults.ts'
import { differences, type Seen } from './look.ts'
import {
  createModel,
  renderSecret,
  services,
  type Change,
  type Model,
  type Service,
} from './model.ts'
import { watchExposures, type Exposures } from './exposures.ts'
import type { Place } from './place.ts'
import { leaksIn, watchCommandLines, type CommandLines } from './sinks.ts'

interface Tally {
  rounds: number
  changes: number
  readonly faults: Map<string, number>
  /** From the end of the faults to the declared state, in ms. */
  readonly settleMs: number[]
  /** Containers that had no reason to be touched, and were found untouched. */
  untouched: number
}

/** How long the product may take after the last fault is over: a pause of a minute is in its design. */
const patienceMs = 180_000
const writePatienceMs = 60_000

const apply = async ({ world }: Place, change: Change): Promise<void> => {
  const { secret } = change
  const resource = `stagelysecrets/${secret.name}`
  if (change.do === 'remove') await world.call('DELETE', resource)
  else if (change.isNew) await world.call('POST', 'stagelysecrets', renderSecret(secret))
  else await world.patchSecret(secret.name, secret.value)
}

/** Like a person with a script: again until it is accepted. A repeated write may find its own work done. */
const insist = async (place: Place, change: Change): Promise<void> => {
  const end = performance.now() + writePatienceMs
  for (;;) {
    try {
      await apply(place, change)
      return
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 503
      if (status === (change.do === 'remove' ? 404 : 409)) return
      if (status < 500 && status !== 429) throw error
      if (performance.now() > end) throw error
      await realClock.sleep(100)
    }
  }
}

const deploy = async ({ world }: Place, round: number): Promise<void> => {
  const annotations = { 'stagely.dev/redeploy': `round ${round}` }
  await world.patch('stagelets/shop', { metadata: { annotations } })
}

const writeAll = async (
  place: Place,
  changes: readonly { change: Change; afterMs: number }[],
): Promise<void> => {
  for (const { change, afterMs } of changes) {
    await realClock.sleep(afterMs)
    await insist(place, change)
  }
}

export interface Chaos {
  readonly tally: Tally
  /** Throws, with everything that is wrong, when the round does not end well. */
  round(): Promise<void>
  /** The same with changes always, and with what crashes alone; the receipts of exposure are looked at after it. */
  history(): Promise<void>
  readonly exposures: Exposures
  stop(): Promise<void>
}

export const startChaos = async (place: Place, seed: number): Promise<Chaos> => {
  const random = createRandom(seed)
  const model = createModel(random)
  const lines = watchCommandLines()
  const tally: Tally = { rounds: 0, changes: 0, faults: new Map(), settleMs: [], untouched: 0 }
  for (let i = 0; i < 8; i++) await insist(place, model.change())
  let { seen } = await settle(place, model)
  const exposures = watchExposures(place, model)
  const run = async (plan: Plan): Promise<void> => {
    const number = ++tally.rounds
    const what = `round ${number} of seed ${seed} (${plan.faults.map((f) => f.name).join(' + ') || 'no fault'}; ${plan.changes.length} changes)`
    for (const { name } of plan.faults) tally.faults.set(name, (tally.faults.get(name) ?? 0) + 1)
    tally.changes += plan.changes.length
    const beganAt = realClock.now()
    try {
      seen = await play(place, { model, plan, before: seen, tally, number, lines })
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error)
      const happened = await historyOf(place, beganAt)
      throw new Error(`${what}: ${said}\n${happened}`, { cause: error })
    }
  }
  return {
    tally,
    exposures,
    stop: () => lines.stop(),
    round: () => run(choose(random, model, chooseFaults(random))),
    history: async () => {
      await run(choose(random, model, [choosePlainFault(random)], random.between(1, 3)))
      await exposures.look()
    },
  }
}

const historySince = 20_000

/** What the engine and the agent told since shortly before the round: what a failure is found by. */
const historyOf = async ({ stack, world }: Place, beganAt: number): Promise<string> => {
  const since = ((beganAt - historySince) / 1000).toFixed(3)
  const until = (realClock.now() / 1000).toFixed(3)
  const format =
    '{{.TimeNano}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}'
  const filters = ['create', 'start', 'die', 'stop', 'kill', 'destroy', 'rename']
  const events = await stack
    .docker(
      ...['events', '--since', since, '--until', until, '--format', format],
      ...filters.flatMap((event) => ['--filter', `event=${event}`]),
    )
    .catch((error: unknown) => String(error))
  const agentLog = world.allOutput().split('\n').slice(-60).join('\n')
  return `round began at ${beganAt}\n${events.split('\n').slice(-120).join('\n')}\n${agentLog}`
}

interface Plan {
  readonly faults: readonly Fault[]
  readonly changes: readonly { change: Change; afterMs: number }[]
  /** Services that see something else than before. */
  readonly affected: ReadonlySet<Service>
}

const choose = (random: Random, model: Model, faults: readonly Fault[], changed?: number): Plan => {
  const before = new Map(services.map((s) => [s, model.sightOf(s)]))
  // A hand-made change with nothing else to do is healed, with pauses that grow; not every time.
  const isPlain = faults.some((f) => f.byHand) && random.once(3)
  const count = changed ?? (isPlain ? 0 : random.between(1, 3))
  const changes: { change: Change; afterMs: number }[] = []
  const affected = new Set<Service>()
  for (let i = 0; i < count; i++) {
    changes.push({ change: model.change(), afterMs: random.below(800) })
    // Also those that see it for a moment only: there and back is two changes.
    for (const s of services) if (model.sightOf(s) !== before.get(s)) affected.add(s)
  }
  return { faults, changes, affected }
}

const play = async (
  place: Place,
  given: {
    model: Model
    plan: Plan
    before: ReadonlyMap<Service, Seen>
    tally: Tally
    number: number
    lines: CommandLines
  },
): Promise<Map<Service, Seen>> => {
  const { model, plan, before, tally, number, lines } = given
  await Promise.all([...plan.faults.map((f) => f.run(place)), writeAll(place, plan.changes)])
  if (plan.faults.some((f) => f.needsDeploy)) await deploy(place, number)
  const from = performance.now()
  const { seen } = await settle(place, model)
  tally.settleMs.push(performance.now() - from)
  const touched = new Set([...plan.affected, ...plan.faults.flatMap((f) => f.touches)])
  const restarts = plan.faults.some((f) => f.restarts)
  const wrong: string[] = []
  for (const service of services) {
    if (touched.has(service)) continue
    const [was, is] = [before.get(service), seen.get(service)]
    if (was?.id !== is?.id) wrong.push(`${service} was re-created without a reason`)
    else if (was?.startedAt !== is?.startedAt && !restarts)
      wrong.push(`${service} was restarted without a reason`)
    else tally.untouched++
  }
  const leaks = [...(await leaksIn(place, number % 25 === 0)), ...lines.leaks]
  wrong.push(...leaks.map((where) => `a value leaked: ${where}`))
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  return seen
}

/** Waits until nothing differs in two looks, and no container has changed between them. */
const settle = async (place: Place, model: Model): Promise<{ seen: Map<Service, Seen> }> => {
  const end = performance.now() + patienceMs
  let last: string | undefined
  let wrong: string[] = []
  for (;;) {
    try {
      const found = await differences(place, model)
      wrong = found.wrong
      const print = JSON.stringify([...found.seen])
      if (wrong.length === 0 && print === last) return found
      last = wrong.length === 0 ? print : undefined
    } catch (error) {
      // A container that goes while it is looked at, or a controller that is just starting.
      wrong = [error instanceof Error ? error.message : String(error)]
      last = undefined
    }
    if (performance.now() > end)
      throw new Error(`not as declared after ${patienceMs / 1000} s:\n${wrong.join('\n')}`)
    await realClock.sleep(150)
  }
}
