// What goes wrong. Each fault is chosen with its numbers beforehand, so that a seed repeats it; when
// it has run, everything works again, and the product has to have got over it by itself.
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { realClock } from '../../../src/kernel/clock.ts'
import { findUps } from '../docker/compose-ups.ts'
import type { Random } from '../random.ts'
import { services, type Service } from './model.ts'
import type { Place } from './place.ts'

export interface Fault {
  readonly name: string
  /** Services whose containers are changed by it: they may be new ones afterwards. */
  readonly touches: readonly Service[]
  /** The engine goes down: containers stay the same, and start again. */
  readonly restarts?: boolean
  /** Somebody took the whole stack down: it stays so until a deploy is asked for. */
  readonly needsDeploy?: boolean
  /** A person at the machine did it, who is only given way to when nothing else is wanted. */
  readonly byHand?: boolean
  run(place: Place): Promise<void>
}

const pause = (ms: number): Promise<void> => realClock.sleep(ms)

const killAgent = (random: Random): Fault => {
  const [after, away] = [random.below(1_500), random.below(1_000)]
  return {
    name: 'kill -9 of the agent',
    touches: [],
    run: async ({ world }) => {
      await pause(after)
      await world.agent.kill('SIGKILL')
      await pause(away)
      world.spawnAgent()
    },
  }
}

const killCompose = (random: Random): Fault => {
  const into = random.below(600)
  return {
    name: 'kill -9 of Compose',
    touches: [],
    run: async ({ stack }) => {
      for (let tries = 0; tries < 60; tries++) {
        const pids = await findUps(stack.project)
        if (pids.length > 0) {
          await pause(into)
          for (const pid of pids) {
            try {
              process.kill(-pid, 'SIGKILL')
            } catch {
              // It was faster.
            }
          }
          return
        }
        await pause(50)
      }
    },
  }
}

const killController = (random: Random): Fault => {
  const [after, away] = [random.below(1_000), random.below(1_000)]
  return {
    name: 'kill -9 of the controller',
    touches: [],
    run: async ({ world }) => {
      await pause(after)
      await world.controller.kill('SIGKILL')
      await pause(away)
      await world.startController()
    },
  }
}

const restartEngine = (random: Random): Fault => {
  const signal = random.pick(['SIGTERM', 'SIGKILL'] as const)
  const [after, away] = [random.below(2_000), random.below(1_500)]
  return {
    name: signal === 'SIGTERM' ? 'engine restart' : 'kill -9 of the engine',
    touches: [],
    restarts: true,
    run: async ({ engine }) => {
      await pause(after)
      await engine.restart(signal, away)
    },
  }
}

const cutNetwork = (random: Random): Fault => {
  const how = random.pick(['reset', 'silence'] as const)
  const [after, away] = [random.below(1_000), random.between(200, 4_000)]
  return {
    name: how === 'reset' ? 'network cut' : 'network silent',
    touches: [],
    run: async ({ network }) => {
      await pause(after)
      network[how]()
      await pause(away)
      network.mend()
    },
  }
}

const byHand = (random: Random): Fault => {
  const service = random.pick(services)
  const [after, verb] = [random.below(1_500), random.pick(['up', 'stop', 'rm', 'kill', 'restart'])]
  const args: Record<string, string[]> = {
    up: ['up', '-d', '-t', '1'],
    stop: ['stop', '-t', '1', service],
    rm: ['rm', '-sf', service],
    kill: ['kill', service],
    restart: ['restart', '-t', '1', service],
  }
  return {
    name: `compose ${verb} by hand`,
    touches: verb === 'up' ? services : [service],
    byHand: true,
    run: async (place) => {
      await pause(after)
      await composeByHand(place, args[verb]!)
    },
  }
}

const downByHand = (random: Random): Fault => {
  const verb = random.pick(['stop', 'down'])
  return {
    name: `compose ${verb} of everything by hand`,
    touches: services,
    needsDeploy: true,
    byHand: true,
    run: (place) => composeByHand(place, [verb, '-t', '1']),
  }
}

/** What a person gets who meets the agent at work: it may fail, and the agent has to put it right. */
const composeByHand = async ({ stack }: Place, args: string[]): Promise<void> => {
  const where = ['compose', '-p', stack.project, '--project-directory', stack.directory]
  await stack.docker(...where, ...args).catch(() => undefined)
}

const fullDisk = (random: Random): Fault => {
  const which = random.pick(['dataMount', 'filesMount'] as const)
  const lasts = random.between(500, 4_000)
  return {
    name: which === 'dataMount' ? 'full disk' : 'full tmpfs of file secrets',
    touches: [],
    run: async (place) => {
      const filler = join(place[which], 'filler-of-the-test')
      for (let kib = 512; kib >= 4; kib /= 2) {
        const flag = 'a'
        while (
          await writeFile(filler, Buffer.alloc(kib * 1024), { flag }).then(
            () => true,
            () => false,
          )
        );
      }
      await pause(lasts)
      await rm(filler, { force: true })
    },
  }
}

const clockJump = (random: Random): Fault => {
  const seconds = random.pick([-86_400, -600, -45, 45, 600, 86_400])
  const [after, lasts] = [random.below(1_000), random.between(1_000, 4_000)]
  return {
    name: 'clock jump',
    touches: [],
    run: async (place) => {
      await pause(after)
      await place.setClock(seconds)
      await pause(lasts)
      await place.setClock(0)
    },
  }
}

const kinds: readonly ((random: Random) => Fault)[] = [
  ...[killAgent, killCompose, killController, restartEngine, cutNetwork],
  ...[byHand, byHand, downByHand, fullDisk, clockJump],
]

/** Of containers, of the agent, of the controller: what leaves the engine and the network alone. */
export const choosePlainFault = (random: Random): Fault =>
  random.pick([killAgent, killController, killCompose, byHand])(random)

/** None in one round of five, two in one of four; never two that stop the same thing. */
export const chooseFaults = (random: Random): Fault[] => {
  if (random.once(5)) return []
  const first = random.pick(kinds)
  if (!random.once(4)) return [first(random)]
  const second = random.pick(kinds.filter((kind) => kind !== first))
  return [first(random), second(random)]
}
