import { once } from 'node:events'
import { expect, it } from 'vitest'
import { silentLogger } from '../../src/kernel/log.ts'
import { lookLimitMs, type LookOrder } from '../../src/protocol/look.ts'
import type { TaskReport } from '../../src/protocol/tasks.ts'
import type { LookEngine } from './looking.ts'
import { createLookRuns, type LookRuns } from './looks.ts'

const orderOf = (id: string, containersOnly: boolean): LookOrder => ({
  type: 'lookFor',
  id,
  containersOnly,
  values: [{ name: '1', value: Buffer.from('value-of-it').toString('base64') }],
  key: '',
  prints: [],
})

/** Looks through two containers, of which the second one holds the value. `take` says when an answer has come. */
const startLooks = (
  take: (report: TaskReport) => void,
  whileOne: () => Promise<void>,
  nowMs: () => number,
): LookRuns => {
  const engine: LookEngine = {
    listAllContainers: () =>
      Promise.resolve(
        ['one', 'two'].map((name) => ({
          Id: name,
          Names: [`/${name}`],
          Labels: {},
          State: 'running',
          Status: '',
          Created: 1,
        })),
      ),
    configOf: async (id) => {
      await whileOne()
      return { Config: { Env: id === 'two' ? ['K=value-of-it'] : [] } }
    },
    listContainers: () => Promise.resolve([]),
    listImages: () => Promise.resolve([]),
    imageConfig: () => Promise.resolve(undefined),
    openLog: () => Promise.resolve(undefined),
  }
  return createLookRuns({
    engine,
    projects: () => new Set(),
    sourceOf: () => undefined,
    folders: { allowDirs: [], ownDirs: [] },
    client: {
      post: ({ body }) => {
        take(body as TaskReport)
        return Promise.resolve({ state: 'taken' })
      },
    },
    clock: { now: nowMs, monotonic: nowMs, sleep: () => Promise.resolve() },
    log: silentLogger,
  })
}

/** Time is over after the first container. */
const lookThatIsCut = (containersOnly: boolean): Promise<TaskReport> =>
  new Promise((resolve) => {
    let now = 0
    const looks = startLooks(
      resolve,
      () => {
        now += lookLimitMs
        return Promise.resolve()
      },
      () => now,
    )
    looks.start(orderOf('id', containersOnly))
  })

it('tells whoever comes when four wait already, at once, and answers the four', async () => {
  const answers = new Map<string, TaskReport>()
  const released = new AbortController()
  const looks = startLooks(
    (report) => answers.set(report.id, report),
    async () => {
      if (!released.signal.aborted) await once(released.signal, 'abort')
    },
    () => 0,
  )
  for (const id of ['1', '2', '3', '4', '5']) looks.start(orderOf(id, true))
  await expect.poll(() => [...answers.keys()]).toEqual(['5'])
  expect(answers.get('5')?.fault?.message).toMatch(/4 others wait for this machine: try again/)
  released.abort()
  await expect.poll(() => answers.size).toBe(5)
  expect(['1', '2', '3', '4'].map((id) => answers.get(id)?.found?.places.length)).toEqual([
    1, 1, 1, 1,
  ])
})

it('says that a look for what an end rests on has failed, where it saw not all containers', async () => {
  expect((await lookThatIsCut(true)).fault?.message).toBe(
    'not all containers were looked at within 20 s',
  )
  expect((await lookThatIsCut(false)).found?.unread).toEqual([
    'the look ended after 20 s: not everything was looked through',
  ])
})
