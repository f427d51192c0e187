// kill -9 of what a rotation needs, at each border between its phases: the controller, the agent, the Postgres, and the
// agent's Compose. Which one, and when after the border, comes of a seed.
import { readdir, readFile } from 'node:fs/promises'
import { realClock } from '../../../src/kernel/clock.ts'
import type { RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { askEngine } from './engine-api.ts'
import type { NamedAgent } from '../agents/named-agent.ts'
import type { World } from '../programs/processes.ts'
import { createRandom } from '../random.ts'
import { isAccepted, openSlots, type LoginStack } from './rotation-stack.ts'
import { watchRotation } from './watch-rotation.ts'

const programs = ['controller', 'agent', 'postgres', 'compose'] as const
type Program = (typeof programs)[number]

/** Pids of Compose that work on a project: its random name is in their arguments. */
const composesOf = async (project: string): Promise<number[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  )
  const works = (line: string): boolean =>
    line.includes(`\0${project}\0`) && /\0(?:up|create)\0/.test(line)
  return pids.filter((_, i) => works(lines[i]!)).map(Number)
}

/** False where it has ended by itself, or is not the first of its group, which is killed too. */
const killed = (pid: number): boolean => {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}

/** Answers whether there was something to kill. */
type Kill = (program: Program, of: Pick<Lane, 'agent' | 'stack'>) => Promise<boolean>

/** Of one world. */
export const createKill = (world: World): Kill => {
  const queues = new Map<unknown, Promise<void>>()
  /** Nothing is killed while it is being started again. */
  const inTurn = async (whose: unknown, work: () => Promise<void>): Promise<true> => {
    const mine = (queues.get(whose) ?? Promise.resolve()).catch(() => undefined).then(work)
    queues.set(whose, mine)
    await mine
    return true
  }
  return async (program, { agent, stack }) => {
    if (program === 'controller')
      return inTurn(world, async () => {
        await world.controller.kill('SIGKILL')
        await world.startController()
      })
    if (program === 'agent')
      return inTurn(agent, async () => {
        await agent.program.kill('SIGKILL')
        await agent.start()
      })
    if (program === 'postgres') {
      const { id = 'none' } = (await stack.containers())['pg'] ?? {}
      const found = await askEngine<{ State: { Pid: number } }>(`/containers/${id}/json`)
      return found?.State.Pid ? killed(found.State.Pid) : false
    }
    for (let tries = 0; tries < 60; tries += 1) {
      const pids = await composesOf(stack.project)
      for (const pid of pids) killed(-pid)
      if (pids.length > 0) return true
      await realClock.sleep(50)
    }
    return false
  }
}

export interface Course {
  readonly seed: number
  /** As `Proving Switch: agent`. */
  readonly kills: readonly string[]
  /** Idle, or why the attempt failed. */
  readonly end: string
  readonly seconds: number
  /** What must not be, in words. */
  readonly faults: readonly string[]
}

interface Lane {
  readonly world: World
  readonly kill: Kill
  /** Of the rotation, and of its project. */
  readonly rotation: string
  readonly agent: NamedAgent
  readonly stack: LoginStack
}

const untilDone = async (work: () => Promise<unknown>): Promise<void> => {
  for (let tries = 1; ; tries += 1) {
    try {
      await work()
      return
    } catch (error) {
      // Another lane is killing the controller.
      if (tries === 60) throw error
      await realClock.sleep(500)
    }
  }
}

const limitMs = 900_000

/** One rotation under kills. */
export const rotateUnderKills = async (lane: Lane, seed: number): Promise<Course> => {
  const { world, kill, rotation, stack } = lane
  const random = createRandom(seed)
  const begun = realClock.monotonic()
  const kills: string[] = []
  const faults: string[] = []
  const killing: Promise<void>[] = []
  const old = await stack.login()
  const refusedBefore = (await stack.said()).refused.length
  const borders = new Set<string>()
  let before: number | undefined
  const atBorder = ({ phase = 'Idle', step, attempt = 0 }: RotationStatus): void => {
    before ??= attempt
    const here = `${phase} ${step ?? ''}`.trim()
    // At those that come again after another try, nothing is killed: five tries are all there are.
    if (borders.has(here) || (borders.size === 0 && phase === 'Idle')) return
    borders.add(here)
    const [program, afterMs] = [random.pick(programs), random.below(300)]
    const work = async (): Promise<void> => {
      await realClock.sleep(afterMs)
      if (await kill(program, lane)) kills.push(`${here}: ${program}`)
    }
    killing.push(
      work().catch((error: unknown) => {
        faults.push(`kill of ${program}: ${String(error)}`)
      }),
    )
  }
  const watch = watchRotation(world, rotation, atBorder)
  try {
    await watch.until(({ phase }) => phase === 'Idle', 60_000)
    await untilDone(() => world.must('rotation', 'run', rotation, '--project', rotation, '--now'))
    const isOver = ({ phase, attempt = 0, request }: RotationStatus): boolean =>
      phase === 'Idle' && attempt > (before ?? 0) && request === undefined
    const { failure, slot } = await watch.until(isOver, limitMs)
    await Promise.all(killing)
    const login = await stack.login()
    if (!(await isAccepted(stack, login))) faults.push(`${login.username}, which runs, is refused`)
    if (login.username !== slot) faults.push(`${login.username} runs, and not ${slot ?? 'none'}`)
    if (failure === undefined && (await isAccepted(stack, old)))
      faults.push(`${old.username} was revoked, and is accepted`)
    const open = (await openSlots(stack)).join(' ')
    if (open !== login.username) faults.push(`logins of ${open} are open`)
    const refused = (await stack.said()).refused.slice(refusedBefore)
    if (refused.length > 0) faults.push(`the client was refused: ${refused.join(', ')}`)
    const end = failure === undefined ? 'Idle' : `Failed/${failure.reason}: ${failure.message}`
    const seconds = Math.round((realClock.monotonic() - begun) / 1_000)
    return { seed, kills, end, seconds, faults }
  } finally {
    watch.stop()
  }
}
