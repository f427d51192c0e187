// agents: thousands of them, with the real link and reports over TLS on loopback, in this process, on one
// controller with a Postgres server as shipped (fsync on). They run no stacks; each says at once of its
// stagelet what is wanted.
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { anyPostgres } from '../support/databases/postgres-server.ts'
import { startWorld, type World } from '../support/programs/processes.ts'
import { declareSwarm } from '../support/agents/swarm-objects.ts'
import { joinAll, startSwarm, type Swarm } from '../support/agents/swarm.ts'
import { createTestDatabase } from '../support/databases/test-database.ts'
import type { Row } from './measure.ts'
import { cpuMs } from './proc.ts'

const collector = join(import.meta.dirname, '../fixtures/collect-garbage.mjs')
const limitMs = 600_000
/** Connections that a burst of reports has opened are closed by then: a server keeps them for 65 s. */
const calmMs = 70_000
const idleMs = 25_000

const until = async (what: string, holds: () => Promise<boolean> | boolean): Promise<void> => {
  const start = performance.now()
  while (!(await holds())) {
    if (performance.now() - start > limitMs) throw new Error(`not within 10 min: ${what}`)
    await sleep(20)
  }
}

const pidOf = (world: World): number => world.controller.child.pid!

interface Held {
  readonly kib: number
  /** Of it, objects of the program; the rest is buffers, TLS, and the program itself. */
  readonly heapKib: number
}

/** What the controller holds, without garbage, as the collector there says. */
const readHeld = async (world: World): Promise<Held> => {
  const said = (): RegExpExecArray[] => [
    ...world.controller.output().matchAll(/^held: (\d+) KiB, heap (\d+) KiB$/gm),
  ]
  const before = said().length
  world.controller.child.kill('SIGUSR2')
  await until('the controller has said what it holds', () => said().length > before)
  const [, kib, heapKib] = said().at(-1)!
  return { kib: Number(kib), heapKib: Number(heapKib) }
}

const measureIdle = async (world: World): Promise<number> => {
  const [before, start] = [cpuMs(pidOf(world)), performance.now()]
  await sleep(idleMs)
  return (cpuMs(pidOf(world)) - before) / (performance.now() - start)
}

interface FanOut {
  /** Until all have opened their bundle of the change. */
  readonly bundles: Record<string, number> & { readonly value: number; readonly cpu: number }
  /** Until all reports of it are judged and stored. */
  readonly judged: Record<string, number> & { readonly value: number; readonly cpu: number }
}

/** By what the controller counts: a list of thousands of stagelets would be most of its work. */
const countInSync = async (world: World): Promise<number> => {
  const { text } = await world.page('/metrics')
  const line = text
    .split('\n')
    .find((one) => one.startsWith('stagely_stagelets{') && /InSync".*"true"/.test(one))
  return Number(line?.split(' ').at(-1) ?? NaN)
}

const allInSync = (world: World, size: number): Promise<void> =>
  until('all are in sync', async () => {
    await sleep(500)
    return (await countInSync(world)) === size
  })

/** From the write's being sent. */
const measureFanOut = async (world: World, swarms: readonly Swarm[]): Promise<FanOut> => {
  const size = sizeOf(swarms)
  const holding = (): number => swarms.reduce((sum, swarm) => sum + swarm.holding(2), 0)
  const cpu = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1000
  const [theirs, ours, start] = [cpuMs(pidOf(world)), cpu(), performance.now()]
  await world.patchSecret('shop-token.global', 'second')
  const writtenAt = performance.now()
  await until('the first has the change', () => holding() > 0)
  const firstAt = performance.now()
  await until('all have the change', () => holding() === size)
  const round = (ms: number): number => Math.round(ms) / 1000
  const taken = (): { value: number; cpu: number } => ({
    value: round(performance.now() - start),
    cpu: round(cpuMs(pidOf(world)) - theirs),
  })
  const bundles = {
    ...taken(),
    written_s: round(writtenAt - start),
    first_s: round(firstAt - start),
    agents_cpu_s: round(cpu() - ours),
  }
  await allInSync(world, size)
  return { bundles, judged: taken() }
}

/** The same change as the controller itself measured it; stacks that are healthy at once. */
const readPropagation = async (world: World, size: number): Promise<Row[]> => {
  interface Slo {
    readonly proven: number
    readonly objectives: readonly Record<string, string | number>[]
  }
  const slo = JSON.parse((await world.cli('admin', 'slo', '-o', 'json')).stdout) as Slo
  return slo.objectives.map(({ objective, p50_ms: median, p99_ms: value = NaN, max_ms: max }) => ({
    name: `slo_${size}_${objective}_p99_ms`,
    value: Number(value),
    unit: 'ms',
    proven: slo.proven,
    median: Number(median),
    max: Number(max),
  }))
}

const sizeOf = (swarms: readonly Swarm[]): number =>
  swarms.reduce((sum, swarm) => sum + swarm.size, 0)

/** With those that are here, once all is calm. */
const heldAtRest = async (world: World): Promise<Held> => {
  await sleep(calmMs)
  return readHeld(world)
}

/** Time, and CPU time of the controller. */
const rowsOf = (
  name: string,
  { value, cpu, ...more }: FanOut['judged'],
  agents: Record<string, string | number>,
): Row[] => [
  { name: `${name}_s`, value, unit: 's', ...agents, ...more },
  { name: `${name}_cpu_s`, value: cpu, unit: 's', ...agents },
]

const measure = async (world: World, size: number): Promise<Row[]> => {
  const identities = await joinAll(await declareSwarm(world, size))
  // The first half warms everything up, so that the other half adds only what is each agent's own.
  const half = size >> 1
  const swarms: Swarm[] = []
  try {
    swarms.push(await startSwarm(identities.slice(0, half)))
    const first = await heldAtRest(world)
    swarms.push(await startSwarm(identities.slice(half)))
    await allInSync(world, size)
    const all = await heldAtRest(world)
    const cores = await measureIdle(world)
    if (swarms.some((swarm) => swarm.connected() !== swarm.size))
      throw new Error('agents have lost their streams')
    const { bundles, judged } = await measureFanOut(world, swarms)
    const agents = { agents: size, node: process.version }
    return [
      {
        name: `agents_${size}_idle_cores`,
        value: cores,
        unit: 'cores',
        ...agents,
        over_s: idleMs / 1000,
      },
      {
        name: 'agent_connection_kib',
        value: (all.kib - first.kib) / (size - half),
        unit: 'KiB',
        ...agents,
        heap_kib: Math.round((all.heapKib - first.heapKib) / (size - half)),
        held_mb: Math.round(all.kib / 1024),
      },
      ...rowsOf(`fanout_${size}`, bundles, agents),
      ...rowsOf(`judged_${size}`, judged, agents),
      ...(await readPropagation(world, size)),
    ]
  } finally {
    for (const swarm of swarms) await swarm.stop()
  }
}

export const benchAgents = async (size: number): Promise<Row[]> => {
  const postgres = await anyPostgres()
  try {
    const database = await createTestDatabase(postgres.url)
    const world = await startWorld({
      databaseUrl: database.url,
      withAgent: false,
      controllerEnv: { NODE_OPTIONS: `--import=${collector}` },
      // As a controller runs elsewhere: the flags of tests compile hot functions much later.
      controllerNode: [],
    })
    try {
      return await measure(world, size)
    } finally {
      await world.stop()
    }
  } finally {
    await postgres.stop()
  }
}
