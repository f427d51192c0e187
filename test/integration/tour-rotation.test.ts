// The page docs/tour-rotation.md, as it is written: its files and its commands, on a real stack.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentHere } from '../support/agents/agent-here.ts'
import { controllerHere } from '../support/programs/controller-here.ts'
import { databaseImage, makeDatabaseImage } from '../support/databases/database-images.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import { startWorld, type World } from '../support/programs/processes.ts'
import { soak } from '../support/soak.ts'
import { createStack, type Stack } from '../support/docker/stack.ts'

interface Rotation {
  status?: {
    phase?: string
    slot?: string
    conditions?: { type: string; status: string; reason: string; message: string }[]
  }
}

const page = join(import.meta.dirname, '../../docs/tour-rotation.md')
const inEnv = 'the-password-of-the-env-file'
/** Logs in all the time, and says when it is refused. */
const client = `while :; do if psql -XqAt "$$DATABASE_URL" -c 'select 1' >/dev/null 2>/tmp/said; then touch /tmp/ok; elif grep -q 'password authentication' /tmp/said; then echo REFUSED; fi; sleep ${soak(1, 0.2)}; done`

describe('the tour of a rotation', () => {
  let world: World
  let stack: Stack
  let blocks: { kind: string; text: string }[]

  const filled = (text: string): string =>
    text
      .replaceAll('/srv/shop', stack.directory)
      .replaceAll('web-1', 'box')
      .replace('overlap: 10m', 'overlap: 1m')
  const yaml = (n: number): string => blocks.filter(({ kind }) => kind === 'yaml')[n]!.text
  const asApp = async (): Promise<string> => {
    const { id } = (await stack.containers())['postgres']!
    const command = `printf '%s\\nselect 1;\\n' '${inEnv}' | psql -XqAtW -h postgres -U app -d shop`
    return stack.docker('exec', id, 'sh', '-c', command).then(
      (out) => out.trim(),
      () => 'refused',
    )
  }
  const envOfBackend = (): Promise<Record<string, string>> =>
    stack.environmentOf('backend').catch(() => ({}))
  const rotation = async (): Promise<NonNullable<Rotation['status']>> =>
    ((await world.read('rotations/shop-db')) as Rotation).status ?? {}

  beforeAll(async () => {
    await makeDatabaseImage('postgres')
    const text = await readFile(page, 'utf8')
    blocks = [...text.matchAll(/```(yaml|sh)\n([^`]*)```/g)].map(([, kind = '', block = '']) => ({
      kind,
      text: block,
    }))
    const image = databaseImage('postgres')
    const compose = yaml(0)
      .replace('postgres:17', image)
      .replace(
        'image: my-api\n',
        () =>
          `image: ${image}\n    entrypoint: ["/bin/sh", "-c"]\n    stop_signal: SIGKILL\n    command: [${JSON.stringify(client)}]\n    healthcheck: { test: "test -e /tmp/ok", interval: 30s, start_period: 60s, start_interval: 500ms }\n`,
      )
    stack = await createStack(compose)
    await writeFile(join(stack.directory, '.env'), `DB_PASSWORD=${inEnv}\n`)
    await stack.compose('up', '-d', '--wait')
    world = await startWorld({
      controllerBy: controllerHere,
      agentBy: agentHere,
      database: await freshDatabase(),
    })
  }, 120_000)
  afterAll(async () => {
    await world?.stop()
    await stack?.keepTree()
    await stack?.remove()
  })

  it('takes fewer than ten commands, all of which work', async () => {
    const commands = blocks
      .filter(({ kind }) => kind === 'sh')
      .flatMap(({ text }) => text.split('\n'))
      .filter((line) => line !== '')
    expect(commands.length).toBeLessThan(10)
    for (const line of commands) {
      const words = filled(line)
        .replace(/ +#.*/, '')
        .split(' ')
        .map((word) => word.replace(/^'(.*)'$/, '$1'))
      expect(words[0]).toBe('stagely')
      // The agent of the test has joined already.
      if (words.slice(1, 4).join(' ') === 'agent token create') continue
      const args = words
        .slice(1)
        .map((word) => (word === 'rotation.yaml' ? join(world.dir, 'rotation.yaml') : word))
      if (args[0] === 'init') args.push('--project-name', stack.project, '--project', 'shop')
      if (args[0] === 'apply') await writeFile(join(world.dir, 'rotation.yaml'), filled(yaml(1)))
      await world.must(...args)
    }
  }, 240_000)

  it('brings services to a login of their own, without one refusal', async () => {
    await expect
      .poll(async () => (await envOfBackend())['DB_USER'], { interval: 250 })
      .toBe('app_a')
    const env = await stack.environmentOf('backend')
    expect(env['DB_PASSWORD']).toMatch(/^[A-Za-z0-9]{32}$/)
    const url = `postgres://app_a:${env['DB_PASSWORD']!}@postgres:5432/shop`
    expect(env['DATABASE_URL']).toBe(url)
    // The old login ends by the proof and the overlap, and not before.
    expect((await rotation()).phase).not.toBe('Idle')
    expect(world.allOutput()).not.toContain(env['DB_PASSWORD']!)
    const { id } = (await stack.containers())['backend']!
    await expect.poll(() => stack.docker('exec', id, 'ls', '/tmp')).toContain('ok')
    expect(await stack.docker('logs', id)).not.toContain('REFUSED')
    expect(await asApp()).toBe('1')
  }, 90_000)

  /** A minute of proof and one of overlap: in the long form. */
  it.each(Array.from({ length: soak(0, 1) }))(
    'ends with a password of the .env that is refused',
    async () => {
      await expect
        .poll(rotation, { timeout: 240_000, interval: 1_000 })
        .toMatchObject({ phase: 'Idle', slot: 'app_a' })
      expect(await asApp()).toBe('refused')
      const { id } = (await stack.containers())['backend']!
      expect(await stack.docker('logs', id)).not.toContain('REFUSED')
    },
    260_000,
  )
})
