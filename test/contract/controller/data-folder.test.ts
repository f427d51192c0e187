// What the first start leaves in the data folder, as others on the machine see it.
import {
  copyFile,
  lchown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { itAsRoot } from '../../support/as-root.ts'
import { openPglite } from '../../../src/store/drivers/pglite.ts'
import { commandsIn, runCli, type Ran } from '../../support/programs/cli.ts'
import { startTestController, type TestController } from '../../support/programs/controller.ts'
import { projectYaml, secretYaml } from '../../support/shop.ts'

describe('the data folder of a first start', () => {
  let controller: TestController
  let folder: string
  beforeAll(async () => {
    controller = await startTestController({
      embedded: true,
      env: { STAGELY_SECRET_KEY: undefined },
    })
    folder = await mkdtemp(join(tmpdir(), 'stagely-backup-'))
  })
  afterAll(async () => {
    await controller.remove()
    await rm(folder, { recursive: true, force: true })
  })

  it.each([
    ['', 0o700],
    ['admin-token', 0o600],
    ['master.key', 0o600],
  ])('opens "%s" to its user alone', async (name, mode) => {
    expect((await stat(join(controller.dataDir, name))).mode & 0o777).toBe(mode)
  })

  it('comes back by a restore, which says what it needs before it makes anything', async () => {
    const commands = commandsIn(() => ({
      HOME: folder,
      STAGELY_SERVER: controller.url,
      STAGELY_TOKEN: controller.token,
      STAGELY_CA_FILE: join(controller.dataDir, 'ca.crt'),
    }))
    const applied = await commands.apply(
      projectYaml() + secretYaml('TOKEN', 'of-the-backup', 'web'),
    )
    expect(applied.code, applied.stderr).toBe(0)
    const backup = join(folder, 'stagely.backup')
    await commands.must('admin', 'backup', '--to', backup)
    const piped = await commands.cliIn(folder, 'admin', 'backup', '--to', '-')
    expect([piped.code, piped.stderr, piped.stdout.startsWith('\u001f')]).toEqual([0, '', true])
    expect(await readdir(folder)).not.toContain('-')
    const again = await commands.cli('admin', 'backup', '--to', backup)
    expect([again.code, again.stderr]).toEqual([
      2,
      `error: ${backup} exists already: name another file\n`,
    ])
    const moved = join(folder, 'moved')
    const restore = (file: string): Promise<Ran> =>
      runCli(['restore', file, '--data-dir', moved], {})
    expect(await restore(join(folder, 'no.backup'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no.backup (ENOENT)') as string,
    })
    expect(await restore(backup)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        `put its master.key at ${join(moved, 'master.key')}`,
      ) as string,
    })
    expect(await readdir(folder)).not.toContain('moved')
    await mkdir(moved)
    await copyFile(join(controller.dataDir, 'master.key'), join(moved, 'master.key'))
    const done = await restore(backup)
    expect([done.code, done.stdout]).toEqual([0, expect.stringMatching(/^restored \d+ rows/)])
    // Whoever had a token has it still.
    await copyFile(join(controller.dataDir, 'admin-token'), join(moved, 'admin-token'))
    const restored = await startTestController({
      embedded: true,
      dataDir: moved,
      env: { STAGELY_SECRET_KEY: undefined },
    })
    const revealed = await restored.call(
      'POST',
      '/api/v1/projects/default%2Fshop/secrets/shop-token.web/reveal',
      { body: {} },
    )
    expect(revealed.json()).toMatchObject({ value: 'of-the-backup' })
    await restored.remove()
  })

  itAsRoot(
    'stays its user’s whatever root does there, and root runs no controller on it',
    async () => {
      const { dataDir } = controller
      await controller.stop()
      const names = ['', ...(await readdir(dataDir, { recursive: true }))]
      for (const name of names) await lchown(join(dataDir, name), 65534, 65534)
      const backup = join(dataDir, 'of-root.backup')
      const ran = await runCli(['controller', 'backup', '--data-dir', dataDir, '--to', backup], {})
      expect(ran.code, ran.stderr).toBe(0)
      const after = await readdir(dataDir, { recursive: true })
      const owners = await Promise.all(
        after.map(async (name) => (await lstat(join(dataDir, name))).uid),
      )
      expect(after).toContain('of-root.backup')
      expect(new Set(owners)).toEqual(new Set([65534]))
      await expect(
        startTestController({ embedded: true, dataDir, env: { STAGELY_SECRET_KEY: undefined } }),
      ).rejects.toThrow(/belongs to user 65534.*run the controller as that user/)
    },
  )
})

it('what a killed first start left of a database is thrown away by the next', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'stagely-controller-'))
  const half = join(dataDir, 'postgres.new')
  await mkdir(half)
  await writeFile(join(half, 'PG_VERSION'), '18')
  const database = await openPglite({ dataDir })
  try {
    expect(await readdir(dataDir)).not.toContain('postgres.new')
    expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  } finally {
    await database.close()
    await rm(dataDir, { recursive: true, force: true })
  }
})
