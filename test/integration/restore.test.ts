// An old backup is restored under a running agent: whole processes, the real engine.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realClock } from '../../src/kernel/clock.ts'
import { startWorld, type World } from '../support/processes.ts'
import { projectYaml, secretYaml, stageletYaml } from '../support/shop.ts'
import { createStack, idleService, recreatedBetween, type Stack } from '../support/stack.ts'

describe('an agent whose controller goes back in time', () => {
  let world: World
  let stack: Stack

  const value = async (): Promise<string | undefined> =>
    (await stack.environmentOf('web').catch(() => undefined))?.['TOKEN']
  const runs = async (expected: string): Promise<void> => {
    for (let i = 0; (await value()) !== expected; i++) {
      if (i > 600) throw new Error(`web has ${await value()}\n${world.agent.output()}`)
      await realClock.sleep(200)
    }
  }
  const inSync = (): Promise<string> =>
    world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', '120s')

  beforeAll(async () => {
    stack = await createStack(`services:\n${idleService('web')}${idleService('other')}`)
    world = await startWorld()
    const yaml = projectYaml() + secretYaml('TOKEN', 'token-of-the-backup', 'web')
    const applied = await world.apply(yaml + stageletYaml(stack.directory, stack.project))
    expect(applied.code).toBe(0)
    await inSync()
  })
  afterAll(async () => {
    await world?.stop()
    await stack?.remove()
  })

  it('has new keys when it was told to, and restarts nothing for that', async () => {
    await world.must('backup', '--to', join(world.dir, 'old.backup'))
    const before = await stack.containers()
    const rotated = await world.cli('agent', 'rotate-keys', 'box', '--timeout', '60s')
    expect(rotated).toMatchObject({ code: 0, stdout: 'agent.stagely.dev/box has new keys\n' })
    expect(await world.must('audit', 'list', '--action', 'rotate keys')).toMatch(/box/)
    await world.patchSecret('shop-token.web', 'token-after-the-backup')
    await runs('token-after-the-backup')
    await inSync()
    expect(recreatedBetween(before, await stack.containers())).toEqual(['web'])
  })

  it('follows the new epoch to the older secrets, with keys that the backup does not know', async () => {
    const before = await stack.containers()
    await world.controller.kill('SIGTERM')
    await world.must('restore', join(world.dir, 'old.backup'), '--data-dir', world.controllerDir, '--force', '--yes') // prettier-ignore
    expect(await value()).toBe('token-after-the-backup')
    await world.startController()
    await runs('token-of-the-backup')
    await inSync()
    expect(recreatedBetween(before, await stack.containers())).toEqual(['web'])
  })

  it('takes what is written after that, also when it starts anew', async () => {
    await world.patchSecret('shop-token.web', 'token-after-the-restore')
    await runs('token-after-the-restore')
    await inSync()
    const before = await stack.containers()
    await world.agent.kill('SIGKILL')
    await world.startAgent()
    await inSync()
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
    await world.patchSecret('shop-token.web', 'token-of-the-new-start')
    await runs('token-of-the-new-start')
  })
})
