import { expect, it } from 'vitest'
import { lonelyLocks } from '../../test/support/agents/project-locks.ts'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import type { Engine } from '../docker/engine.ts'
import type { ObservedContainer } from '../observed/container.ts'
import { startOrder, startStopped } from './start-stopped.ts'
import type { StateFile } from '../state/state-file.ts'
import { tmpBorders } from '../../test/support/agents/allowed-folders.ts'

const aContainer = (service: string, ...dependsOn: string[]): ObservedContainer =>
  ({ service, dependsOn }) as Partial<ObservedContainer> as ObservedContainer

const orderOf = (...containers: ObservedContainer[]): string =>
  startOrder(containers)
    .map((c) => c.service)
    .join()

it('starts dependencies first, and what depends on what runs already at once', () => {
  expect(
    orderOf(aContainer('web', 'api'), aContainer('api', 'db', 'queue'), aContainer('db')),
  ).toBe('db,api,web')
})

it('starts a circle as it comes', () => {
  expect(orderOf(aContainer('a', 'b'), aContainer('b', 'a'))).toBe('a,b')
})

/** What becomes of a stack that is down, on an engine that does not answer at first, and then does not start it at first. */
const startingOn = (refusals: { listing: number; starting: number; folder?: '' }) => {
  const clock = createFakeClock()
  const { signal } = new AbortController()
  const world = { state: 'exited', isConnected: false, looks: 0, starts: 0 }
  const labels = {
    'com.docker.compose.service': 'web',
    ...(refusals.folder === undefined && {
      'com.docker.compose.project.working_dir': tmpBorders.allowDirs[0],
    }),
  }
  const engine = {
    listContainers: () => {
      if (++world.looks <= refusals.listing) return Promise.reject(new Error('no engine yet'))
      return Promise.resolve([{ Id: 'id', Names: ['/shop-web-1'], Labels: labels, Created: 0 }])
    },
    inspect: () =>
      Promise.resolve({
        State: { Status: world.state, ExitCode: 137 },
        Config: {},
        HostConfig: { RestartPolicy: { Name: 'always' } },
      }),
    start: () => {
      if (++world.starts <= refusals.starting) return Promise.reject(new Error('not yet'))
      world.state = 'running'
      return Promise.resolve()
    },
  } as unknown as Engine
  const deployment = { project: 'shop', services: ['web'], redeploy: '', signature: '' }
  const stateFile = { uids: () => ['uid'], get: () => deployment } as unknown as StateFile
  const done = startStopped(
    { engine, stateFile, locks: lonelyLocks(), folders: tmpBorders, log: silentLogger },
    { clock, random: () => 0.999, isConnected: () => world.isConnected, signal },
  )
  return { world, clock, done }
}

/** Lets time pass, and the system answer, until that is done. */
const goOnUntil = async (done: Promise<void>, clock: ReturnType<typeof createFakeClock>) => {
  const isDone = done.then(() => true)
  const passes = async (): Promise<boolean> => {
    await clock.advance(1_000)
    return await new Promise((resolve) => setImmediate(() => resolve(false)))
  }
  while (!(await Promise.race([isDone, passes()])));
}

it('leaves a container alone that does not tell its folder', async () => {
  const { world, clock, done } = startingOn({ listing: 0, starting: 0, folder: '' })
  await goOnUntil(done, clock)
  expect(world).toMatchObject({ state: 'exited', starts: 0 })
})

it('goes on until the engine answers and what is down runs, and no longer', async () => {
  const { world, clock, done } = startingOn({ listing: 2, starting: 2 })
  await goOnUntil(done, clock)
  expect(world).toMatchObject({ state: 'running', looks: 5, starts: 3 })
})

it('leaves it to the controller as soon as that is reachable', async () => {
  const { world, clock, done } = startingOn({ listing: 99, starting: 0 })
  await clock.advance(7_000)
  world.isConnected = true
  await clock.advance(600_000)
  await done
  expect(world).toMatchObject({ state: 'exited', starts: 0 })
  expect(world.looks).toBe(2)
})
