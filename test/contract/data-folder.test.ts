// What the first start leaves in the data folder, as others on the machine see it.
import { stat } from 'node:fs/promises'
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
