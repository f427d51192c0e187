// Backups that a controller takes by itself: one a day, so many of them, and each can be restored.
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createLeapingClock } from '../../support/leaping-clock.ts'
import { eventually, reaches } from '../../support/eventually.ts'
import { runCli } from '../../support/programs/cli.ts'
import { startTestController, type TestController } from '../../support/programs/controller.ts'

const day = 86_400_000
const clock = createLeapingClock()
let controller: TestController

const backups = async (): Promise<string[]> =>
  (await readdir(join(controller.dataDir, 'backups')).catch(() => [])).sort()
const wholeBackups = async (): Promise<string[]> =>
  (await backups()).filter((name) => name.endsWith('.backup'))

beforeAll(async () => {
  controller = await startTestController({ clock, env: { STAGELY_KEEP_BACKUPS: '2' } })
})
afterAll(() => controller?.remove())

it('takes one a day, with the time of day in its name, and keeps as many as it is told', async () => {
  await eventually(wholeBackups).toHaveLength(1)
  const [first = ''] = await backups()
  expect(first).toMatch(/^stagely-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.backup$/)
  const dir = join(controller.dataDir, 'backups')
  await writeFile(join(dir, 'mine.backup'), 'of a person')
  await writeFile(join(dir, `${first}.partial`), 'of a controller that was killed')
  expect([(await stat(dir)).mode & 0o777, (await stat(join(dir, first))).mode & 0o777]).toEqual([
    0o700, 0o600,
  ])
  await clock.leapUntil(day, async () => (await backups()).includes(first), false)
  const after = (await backups()).filter((name) => name !== 'mine.backup')
  expect(after).toHaveLength(2)
  expect(after.every((name) => name.endsWith('.backup'))).toBe(true)
  expect(await backups()).toContain('mine.backup')
  const { text } = await controller.call('GET', '/api/v1/audit?kind=Backup')
  expect(text).toContain('backup complete')
})

it('a start within the day takes none, and each of them can be restored', async () => {
  const before = await backups()
  await controller.stop()
  const { dataDir } = controller
  // The clock was set back: the newest backup is of the future.
  controller = await startTestController({ dataDir, env: { STAGELY_KEEP_BACKUPS: '2' } })
  const isLeader = async (): Promise<boolean> =>
    (await controller.call('GET', '/metrics')).text.includes('stagely_leader 1')
  await reaches(isLeader, true)
  expect(await backups()).toEqual(before)
  const into = join(dataDir, 'restored')
  await mkdir(into)
  const name = before.find((each) => each.startsWith('stagely-'))!
  const env = { STAGELY_SECRET_KEY: Buffer.alloc(32, 9).toString('base64') }
  const done = await runCli(['restore', join(dataDir, 'backups', name), '--data-dir', into], env)
  expect([done.code, done.stdout], done.stderr).toEqual([0, expect.stringMatching(/^restored \d+/)])
})
