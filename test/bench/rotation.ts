// rotation_*: a login of a real Postgres that three stagelets use is changed, again and again, while each logs in anew five
// times a second.
import { run } from '../../scripts/lib/processes.ts'
import type { RotationStatus } from '../../src/kinds/rotation/schema.ts'
import { makeDatabaseImage } from '../support/databases/database-images.ts'
import { startWorld, type World } from '../support/programs/processes.ts'
import {
  createLoginStack,
  loginManifests,
  type LoginStack,
} from '../support/docker/rotation-stack.ts'
import { watchRotation, type RotationWatch } from '../support/docker/watch-rotation.ts'
import { median, type Row } from './measure.ts'

const names = ['one', 'two', 'three']
const steps = ['Preparing', 'Setting', 'Testing', 'RollingOut', 'Revoking'] as const

/** When each phase began, by the clock of this process. */
type Times = Map<string, number>

interface Bench {
  readonly world: World
  readonly watch: RotationWatch
  readonly seen: { times: Times }
}

const rotate = async (
  { world, watch, seen }: Bench,
  flags: readonly string[],
): Promise<{ times: Times; ms: number }> => {
  const { attempt: before = 0 } = watch.status
  seen.times = new Map()
  const from = performance.now()
  await world.must('rotation', 'run', 'shop', ...flags)
  const isOver = ({ phase, attempt = 0, request }: RotationStatus): boolean =>
    phase === 'Idle' && attempt > before && request === undefined
  const { failure } = await watch.until(isOver, 600_000)
  if (failure !== undefined) throw new Error(`a rotation failed: ${failure.message}`)
  const { times } = seen
  return { times, ms: performance.now() - from }
}

/** How long a phase took, until the next one of the attempt began. */
const lasted = (times: Times, phase: string): number => {
  const at = times.get(phase) ?? NaN
  const later = [...times.values()].filter((one) => one > at)
  return Math.min(...later) - at
}

const measure = async (
  bench: Bench,
  stacks: readonly LoginStack[],
  rounds: number,
): Promise<Row[]> => {
  const ours: { times: Times; ms: number }[] = []
  for (let round = 1; round < rounds; round += 1) ours.push(await rotate(bench, ['--now']))
  const slow = await rotate(bench, [])
  const all = [...ours, slow]
  const each = steps.map(
    (phase) => [phase, median(all.map(({ times }) => lasted(times, phase)))] as const,
  )
  const said = await Promise.all(stacks.map((stack) => stack.said()))
  const shown = Object.fromEntries(each.map(([phase, ms]) => [phase, Math.round(ms)]))
  const both = (slow.times.get('Idle') ?? NaN) - (slow.times.get('Testing') ?? NaN)
  const logins = said.reduce((sum, { ok }) => sum + ok, 0)
  const refused = said.reduce((sum, one) => sum + one.refused.length, 0)
  return [
    {
      name: 'rotation_steps_ms',
      unit: 'ms',
      value: Math.max(...each.map(([, ms]) => ms)),
      ...shown,
      rounds,
    },
    {
      name: 'rotation_whole_s',
      unit: 's',
      value: median(ours.map(({ ms }) => ms / 1_000)),
      stagelets: names.length,
      proof_s: 60,
      rounds: ours.length,
    },
    {
      name: 'rotation_auth_failures',
      unit: '',
      value: refused,
      logins,
      rounds,
    },
    { name: 'rotation_double_valid_s', unit: 's', value: both / 1_000, overlap_s: 60, rounds: 1 },
  ]
}

export const benchRotation = async (rounds: number): Promise<Row[]> => {
  await makeDatabaseImage('postgres')
  const network = `stagely-bench-rotation-${process.pid}`
  await run('docker', ['network', 'create', network])
  const stacks: LoginStack[] = []
  const world = await startWorld()
  const seen = { times: new Map<string, number>() }
  const watch = watchRotation(world, 'shop', ({ phase = 'Idle' }) => {
    // What is asked for is written while it is idle still.
    const isBefore = phase === 'Idle' && seen.times.size === 0
    if (!isBefore && !seen.times.has(phase)) seen.times.set(phase, performance.now())
  })
  try {
    for (const name of names)
      stacks.push(await createLoginStack({ network, hasServer: name === 'one' }))
    const stagelets = names.map((name, i) => ({ name, agent: 'box', stack: stacks[i]! }))
    const applied = await world.apply(loginManifests({ project: 'shop', stagelets }))
    if (applied.code !== 0) throw new Error(applied.stderr)
    await watch.until(({ phase, attempt }) => phase === 'Idle' && attempt === 1, 120_000)
    return await measure({ world, watch, seen }, stacks, rounds)
  } finally {
    watch.stop()
    await world.stop()
    for (const stack of stacks.reverse()) await stack.remove()
    await run('docker', ['network', 'rm', network])
  }
}
