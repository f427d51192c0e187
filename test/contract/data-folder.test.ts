// What the first start leaves in the data folder, as others on the machine see it.
import { mkdir, mkdtemp, readdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestController, type TestController } from '../support/controller.ts'

describe('the data folder of a first start', () => {
  let controller: TestController
  beforeAll(async () => {
    controller = await startTestController({ env: { STAGELY_SECRET_KEY: undefined } })
  })
  afterAll(() => controller.remove())

  it.each([
    ['', 0o700],
    ['admin-token', 0o600],
    ['master.key', 0o600],
  ])('opens "%s" to its user alone', async (name, mode) => {
    expect((await stat(join(controller.dataDir, name))).mode & 0o777).toBe(mode)
  })
})

it('what a killed first start left of a database is thrown away by the next', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'stagely-controller-'))
  const half = join(dataDir, 'postgres.new')
  await mkdir(half)
  await writeFile(join(half, 'PG_VERSION'), '18')
  const controller = await startTestController({ dataDir })
  try {
    expect(await readdir(dataDir)).not.toContain('postgres.new')
    expect((await controller.call('GET', '/readyz')).status).toBe(200)
  } finally {
    await controller.remove()
  }
})
