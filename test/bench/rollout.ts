// write_to_up_ms, write_to_running_ratio: from the write that closes a revision to the agent's first
// Compose process, and to the running container with the new value; the latter over the same
// `docker compose up -d` by hand, by turns in the same run.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../scripts/lib/processes.ts'
import { median, percentile, type Row } from './measure.ts'
import { createStack, removeStack, watchStarts, type Stack, type StartWatch } from './stacks.ts'
import type { World } from './world.ts'

export const service = 'worker'
const secret = 'worker-a'

/** Wall time in ms, comparable with what another process reads from the clock. */
const wall = (at = performance.now()): number => performance.timeOrigin + at

const changeByStagely = async (
  world: World,
  starts: StartWatch,
  round: number,
): Promise<{ up: number; running: number }> => {
  const started = starts.next(world.main.project, service)
  const before = world.composeStarts().length
  const from = performance.now()
  await world.api.writeValue(secret, `rollout ${round} ${from}`)
  const running = (await started) - from
  await world.settled()
  const firstUp = world.composeStarts()[before] ?? NaN
  return { up: firstUp - wall(from), running }
}

/** ms until the container starts. */
export const changeByHand = async (
  stack: Stack,
  starts: StartWatch,
  round: number,
): Promise<number> => {
  const override = join(stack.directory, 'by-hand.yml')
  writeFileSync(
    override,
    `services:\n  ${service}:\n    environment:\n      WORKER_A: "by hand ${round}"\n`,
  )
  const started = starts.next(stack.project, service)
  const from = performance.now()
  const files = ['-f', join(stack.directory, 'docker-compose.yml'), '-f', override]
  const outcome = await run('docker', ['compose', '-p', stack.project, ...files, 'up', '-d'])
  if (outcome.code !== 0) throw new Error(`docker compose up: ${outcome.stderr}`)
  return (await started) - from
}

export const benchRollout = async (world: World, rounds: number): Promise<Row[]> => {
  const starts = watchStarts()
  const hand = createStack(world.paths.dir, 'by-hand', world.main.services)
  try {
    const ours: { up: number; running: number }[] = []
    const theirs: number[] = []
    await changeByHand(hand, starts, -1)
    await changeByStagely(world, starts, -1)
    for (let round = 0; round < rounds; round++) {
      theirs.push(await changeByHand(hand, starts, round))
      ours.push(await changeByStagely(world, starts, round))
    }
    const up = ours.map((o) => o.up)
    const running = median(ours.map((o) => o.running))
    const byHand = median(theirs)
    return [
      {
        name: 'write_to_up_ms',
        value: median(up),
        unit: 'ms',
        p95: Math.round(percentile(up, 0.95)),
        rounds,
      },
      {
        name: 'write_to_running_ratio',
        value: running / byHand,
        unit: '×',
        ms: Math.round(running),
        by_hand_ms: Math.round(byHand),
        rounds,
      },
    ]
  } finally {
    starts.close()
    await removeStack(hand)
  }
}
