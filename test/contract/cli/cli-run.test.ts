// `stagely run`: what a local process gets, where its files are, and how it ends.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import type { AuditRecord } from '../../../src/audit/record.ts'
import { main, runCli, type Ran } from '../../support/programs/cli.ts'
import { startCommandWorld, type CommandWorld } from '../../support/programs/command-world.ts'

let world: CommandWorld

const object = (kind: string, name: string, spec: object): string =>
  stringify({ apiVersion: 'stagely.dev/v1alpha1', kind, metadata: { name }, spec })

const secret = (name: string, spec: object): string =>
  object('StagelySecret', name, { projectRef: { name: 'shop' }, ...spec })

const stagelet = (name: string): string => {
  const compose = { directory: `/srv/${name}` }
  const refs = { projectRef: { name: 'shop' }, agentRef: { name: 'box' } }
  return object('Stagelet', name, { ...refs, compose })
}

const own = (name: string): object => ({ stageletRef: { name } })

const ran = (...args: string[]): Promise<Ran> => world.cli('run', '-p', 'shop', ...args)

const url = async (...flags: string[]): Promise<string> =>
  (await ran(...flags, '--', 'sh', '-c', 'printf %s "$URL"')).stdout

/** Folders of file secrets that a run has left in memory. */
const left = async (): Promise<string[]> =>
  (await readdir('/dev/shm')).filter((name) => name.startsWith('stagely-run-'))

beforeAll(async () => {
  world = await startCommandWorld()
  const applied = await world.apply(
    [
      object('Project', 'shop', {}),
      ...['prod', 'staging'].map(stagelet),
      secret('all', { key: 'URL', value: 'of-all' }),
      secret('web', { key: 'URL', scope: 'web', value: 'of-web' }),
      secret('prod', { key: 'URL', ...own('prod'), value: 'of-prod' }),
      secret('prod-web', { key: 'URL', scope: 'web', ...own('prod'), value: 'of-prod-web' }),
      secret('cert', {
        key: 'CERT',
        scope: 'tls',
        value: 'canary-cert',
        type: 'file',
        file: { path: './cert.pem' },
      }),
      secret('key', {
        key: 'TLS-KEY',
        scope: 'tls',
        valueBase64: '/wA=',
        type: 'file',
        file: { path: './key.pem', envVar: 'TLS_KEY_PATH' },
      }),
      secret('proto', { key: '__proto__', scope: 'odd', value: 'of-proto' }),
      ...['LD_PRELOAD', 'STAGELY_SERVER', 'npm_config_node_options'].map((key, index) =>
        secret(`odd-${index}`, { key, scope: 'odd', value: '/steered' }),
      ),
      secret('start', {
        key: 'START',
        scope: 'odd',
        value: 'echo steered',
        type: 'file',
        file: { path: './start', envVar: 'BASH_ENV' },
      }),
    ].join('---\n'),
  )
  expect(applied.code, applied.stderr).toBe(0)
})
afterAll(() => world.stop())

describe('stagely run', () => {
  it('gives what a service sees: its own value, then the one for all', async () => {
    expect(await url()).toBe('of-all')
    expect(await url('--service', 'web')).toBe('of-web')
    expect(await url('--service', 'global')).toBe('of-all')
  })

  it('gives the own values of a stagelet where that one is named', async () => {
    expect(await url('--stagelet', 'prod')).toBe('of-prod')
    expect(await url('--stagelet', 'prod', '--service', 'web')).toBe('of-prod-web')
    expect(await url('--stagelet', 'staging', '--service', 'web')).toBe('of-web')
  })

  it('reads the own values of a stagelet for nobody else', async () => {
    await world.must('admin', 'user', 'create', 'reader')
    await world.must('admin', 'team', 'add', 'default', 'reader', '--role', 'owner')
    const token = (await world.must('token', 'create', 'run', '--user', 'reader')).trim()
    const env = {
      HOME: world.dir,
      STAGELY_SERVER: world.url,
      STAGELY_TOKEN: token,
      STAGELY_CA_FILE: join(world.controllerDir, 'ca.crt'),
    }
    const done = await runCli(['run', '-p', 'shop', '--service', 'web', '--', 'true'], env)
    expect(done).toEqual({ code: 0, stdout: '', stderr: '' })
    const listed = await world.must('admin', 'audit', 'list', '--by', 'reader', '-o', 'json')
    const read = (JSON.parse(listed) as AuditRecord[]).filter(({ action }) => action === 'reveal')
    expect(read.map((row) => row.object.name)).toEqual(['web'])
  })

  it('refuses a stagelet that the project has not, and starts nothing', async () => {
    const done = await ran('--stagelet', 'stagign', '--', 'echo', 'started')
    expect(done).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: project shop has no stagelet stagign; there are: prod, staging\n',
    })
  })

  it('refuses a service that nobody knows of, and starts nothing', async () => {
    const done = await ran('--service', 'wbe', '--', 'echo', 'started')
    expect(done).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'error: nothing is known of a service wbe in project shop; there are: odd, tls, web. For what every service sees: --service global\n',
    })
    const exported = await world.cli('secrets', 'export', '-p', 'shop', '--service', 'wbe')
    expect(exported).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'error: nothing is known of a service wbe in project shop; there are: odd, tls, web. For what every service sees: --service global\n',
    })
  })

  it('knows the services that an agent has reported, and of a stagelet those of its own', async () => {
    await world.patch('stagelets/staging/status', {
      status: { services: [{ name: 'db' }] },
    })
    expect(await url('--service', 'db')).toBe('of-all')
    expect(await url('--service', 'db', '--stagelet', 'staging')).toBe('of-all')
    expect((await ran('--service', 'db', '--stagelet', 'prod', '--', 'true')).stderr).toBe(
      'error: nothing is known of a service db in stagelet prod; there are: odd, tls, web. For what every service sees: --service global\n',
    )
  })

  it('takes any service where the project has only what every one sees', async () => {
    await world.apply(
      [
        object('Project', 'plain', {}),
        object('StagelySecret', 'plain', {
          projectRef: { name: 'plain' },
          key: 'URL',
          value: 'of-plain',
        }),
      ].join('---\n'),
    )
    const done = await world.cli(
      ...['run', '-p', 'plain', '--service', 'any', '--', 'sh', '-c', 'printf %s "$URL"'],
    )
    expect(done).toEqual({ code: 0, stdout: 'of-plain', stderr: '' })
  })

  it('keeps files in memory, for nobody else, and only while the command runs', async () => {
    const before = await left()
    const script = `
      stat -f -c %T "$CERT_FILE"
      stat -c %a "$CERT_FILE" "$TLS_KEY_PATH" "$(dirname "$CERT_FILE")"
      cat "$CERT_FILE"; od -An -tx1 "$TLS_KEY_PATH"; exit 3`
    const done = await ran('--service', 'tls', '--', 'sh', '-c', script)
    expect(done.stdout).toBe('tmpfs\n600\n600\n700\ncanary-cert ff 00\n')
    expect([done.code, done.stderr]).toEqual([3, ''])
    expect(await left()).toEqual(before)
    const without = ['--service', 'tls', '--without-files', '--', 'sh', '-c', 'echo "$CERT_FILE"']
    expect((await ran(...without)).stdout).toBe('\n')
  })

  it('sets no name that steers a program, be it of an env or of a file secret, and loses no other', async () => {
    const script = 'env | grep -E "steered|BASH_ENV|proto"'
    const done = await ran('--service', 'odd', '--', 'bash', '-c', script)
    expect(done).toEqual({
      code: 0,
      stdout: '__proto__=of-proto\n',
      stderr: [
        'Warning: LD_PRELOAD is left out: it steers the loader',
        'Warning: STAGELY_SERVER is left out: it steers Stagely',
        'Warning: npm_config_node_options is left out: it steers a build or package tool',
        'Warning: BASH_ENV is left out: it steers the shell\n',
      ].join('\n'),
    })
  })

  it.each(['shell', 'dotenv'])('prints no such name for a program as %s', async (format) => {
    const from = ['secrets', 'export', '-p', 'shop', '--service', 'web', '--format', format]
    const steering = secret('path', { key: 'PATH', scope: 'web', value: '/steered' })
    expect((await world.apply(steering)).code).toBe(0)
    const done = await world.cli(...from)
    expect(done.stdout).not.toContain('PATH')
    expect(done.stdout).toContain('of-web')
    expect(done.stderr).toBe('Warning: PATH is left out: it steers the shell\n')
  })

  it('exports such a name as JSON, for an import, and says so', async () => {
    const from = ['secrets', 'export', '-p', 'shop', '--scope', 'odd', '--format', 'json']
    const done = await world.cli(...from)
    expect(done.stdout).toContain('"LD_PRELOAD"')
    expect(done.stderr).toContain(
      'Warning: for an import, and not for the environment of a program: LD_PRELOAD, STAGELY_SERVER, npm_config_node_options\n',
    )
  })

  it('passes signals on, ends as the command does, and takes the files away', async () => {
    const before = await left()
    const script = `trap 'echo "caught $URL"; exit 9' TERM; echo ready; while :; do sleep 0.1; done`
    const args = ['run', '-p', 'shop', '--service', 'tls', '--', 'sh', '-c', script]
    const token = await world.must('token', 'create', 'signals')
    const child = spawn(process.execPath, [main, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        HOME: world.dir,
        STAGELY_SERVER: world.url,
        STAGELY_TOKEN: token.trim(),
        STAGELY_CA_FILE: join(world.controllerDir, 'ca.crt'),
      },
    })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said === 'ready\n') child.kill('SIGTERM')
    })
    const [code] = (await once(child, 'close')) as [number | null]
    expect([code, said]).toEqual([9, 'ready\ncaught of-all\n'])
    expect(await left()).toEqual(before)
  })

  it.each([
    ['exit 0', 0],
    ['exit 42', 42],
    ['kill -KILL $$', 137],
  ])('ends with the code of its command: %s', async (script, code) => {
    expect((await ran('--', 'sh', '-c', script)).code).toBe(code)
  })

  it('says that a command cannot be started, as a shell numbers it', async () => {
    expect(await ran('--', 'no-such-command')).toMatchObject({
      code: 127,
      stderr: 'error: cannot start no-such-command (ENOENT)\n',
    })
    expect((await ran('--', world.dir)).code).toBe(126)
  })
})
