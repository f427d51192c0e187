// `stagely admin support-bundle`: what is in it, and what never is. With running containers it is a subject
// of test/integration/leak.test.ts.
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { main, runCli } from '../../support/programs/cli.ts'
import { startCommandWorld, type CommandWorld } from '../../support/programs/command-world.ts'
import { freePort } from '../../support/programs/processes.ts'
import { unpackBundle } from '../../support/bundle.ts'

const canary = 'Kanarie-in-a-value-51d0'
const inEnvironment = 'Kanarie-in-the-environment-7e'
const inAnnotation = 'Kanarie-in-an-annotation-c3'
const inFolder = 'Kanarie-of-the-agent-90ab'
const marker = 'to-be-found-2c4d'

const head = (kind: string, name: string, more = ''): string =>
  `apiVersion: stagely.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}${more}}\n`
const manifests = [
  `${head('Project', 'shop', `, annotations: {note: ${inAnnotation}}`)}spec: {description: ${marker}}\n`,
  `${head('Agent', 'box')}spec: {}\n`,
  `${head('StagelySecret', 'shop-a.global')}spec: {projectRef: {name: shop}, key: A, value: ${canary}}\n`,
  `${head('Stagelet', 'shop')}spec: {projectRef: {name: shop}, agentRef: {name: box}, compose: {directory: /srv/shop}}\n`,
].join('---\n')

const forms = (value: string): string[] => [
  value,
  Buffer.from(value).toString('base64').replace(/=+$/, '').slice(0, -1),
  Buffer.from(value).toString('hex'),
  encodeURIComponent(value),
]

let world: CommandWorld
let agentDir: string
let token = ''

const make = (name: string, ...more: string[]): ReturnType<CommandWorld['cli']> =>
  world.cli('support-bundle', '--output', join(world.dir, name), ...more)

/** What an agent keeps; the identity is broken, so that whoever reads it has something to quote. */
const plantAgent = async (dir: string): Promise<void> => {
  await mkdir(join(dir, 'files'), { recursive: true, mode: 0o700 })
  const deployment = { project: 'shop', services: ['web'], redeploy: '', signature: inFolder }
  const state = { version: 1, stagelets: { 'uid-1': { ...deployment, unknown: inFolder } } }
  await writeFile(join(dir, 'state.json'), JSON.stringify(state))
  for (const name of ['identity.json', 'link.json', 'files/cache', 'token'])
    await writeFile(join(dir, name), inFolder, { mode: 0o600 })
}

beforeAll(async () => {
  world = await startCommandWorld()
  agentDir = join(world.dir, 'planted-agent')
  await plantAgent(agentDir)
  const applied = await world.apply(manifests)
  expect(applied.code, applied.stderr).toBe(0)
})
afterAll(async () => {
  await world.stop()
})

describe('a support bundle', () => {
  it('holds what its README lists, private to who made it, and nothing secret', async () => {
    token = (await world.must('token', 'create', 'bundle')).trim()
    const env = {
      HOME: world.dir,
      STAGELY_SERVER: world.url,
      STAGELY_TOKEN: token,
      STAGELY_CA_FILE: join(world.controllerDir, 'ca.crt'),
      DB_PASSWORD: inEnvironment,
    }
    const file = join(world.dir, 'whole.tar.gz')
    const args = ['support-bundle', '--output', file, '--agent-data-dir', agentDir]
    const ran = await runCli(args, env)
    expect(ran.code, ran.stderr).toBe(0)
    expect(ran.stdout).toBe(`${file}\n`)
    expect(ran.stderr).toContain('Look into it before you send it')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const files = await unpackBundle(file)
    const expected = [
      ...['version.json', 'health.txt', 'metrics.txt', 'keys.json', 'audit-head.json'],
      ...['projects', 'stagelysecrets', 'stagelets', 'agents', 'events'].map((k) => `${k}.yaml`),
    ].map((name) => `controller/${name}`)
    expect(Object.keys(files)).toEqual(
      expect.arrayContaining([
        ...['README.txt', 'errors.txt', 'client.json', ...expected],
        ...['machine/doctor.json', 'machine/agent-state.json'],
      ]),
    )
    for (const name of Object.keys(files)) expect(files['README.txt']).toContain(name === 'README.txt' ? '' : name) // prettier-ignore
    expect(files['controller/health.txt']).toContain('readyz 200 ok')
    expect(files['machine/agent-state.json']).toContain('"web"')
    expect(files['machine/doctor.json']).toContain('"identity"')
    const text = Object.values(files).join('\n')
    // The search finds what is there.
    expect(text).toContain(marker)
    expect(files['controller/projects.yaml']).toContain('note: "***REDACTED***"')
    expect(files['controller/stagelysecrets.yaml']).toContain('key: A')
    const secrets = [canary, inEnvironment, inAnnotation, inFolder, token]
    const found = secrets.flatMap(forms).filter((form) => (text + ran.stderr).includes(form))
    expect(found).toEqual([])
  })

  it('keeps to a namespace that is named', async () => {
    const ran = await make('other.tar.gz', '-n', 'elsewhere')
    expect(ran.code, ran.stderr).toBe(0)
    const files = await unpackBundle(join(world.dir, 'other.tar.gz'))
    expect(files['controller/projects.yaml']).toContain('items: []')
  })

  it('shows a member of one team nothing of others, and names what is for admins', async () => {
    await world.must('admin', 'team', 'create', 'red')
    const viewer = await world.must('token', 'create', 'ci', '--team', 'red', '--role', 'viewer')
    const env = {
      HOME: world.dir,
      STAGELY_SERVER: world.url,
      STAGELY_TOKEN: viewer.trim(),
      STAGELY_CA_FILE: join(world.controllerDir, 'ca.crt'),
    }
    const file = join(world.dir, 'member.tar.gz')
    const ran = await runCli(['support-bundle', '--output', file], env)
    expect(ran.code, ran.stderr).toBe(0)
    const files = await unpackBundle(file)
    expect(files['controller/projects.yaml']).toContain('items: []')
    expect(files['errors.txt']).toMatch(/^controller\/keys\.json: .*Forbidden/m)
    expect(Object.values(files).join('\n')).not.toContain(marker)
  })

  it('is made without a controller too, and says what is missing and why', async () => {
    const port = await freePort()
    const file = join(world.dir, 'alone.tar.gz')
    const env = { HOME: world.dir, STAGELY_SERVER: `http://127.0.0.1:${port}` }
    const ran = await runCli(['support-bundle', '--output', file], env)
    expect(ran.code, ran.stderr).toBe(0)
    const files = await unpackBundle(file)
    expect(Object.keys(files).sort()).toEqual(['README.txt', 'client.json', 'errors.txt'])
    expect(files['errors.txt']).toMatch(/^controller\/version\.json: .*127\.0\.0\.1/m)
    const nowhere = join(world.dir, 'nowhere.tar.gz')
    const without = await runCli(['support-bundle', '--output', nowhere], { HOME: '/nonexistent' })
    expect(without.code, without.stderr).toBe(0)
    expect((await unpackBundle(nowhere))['errors.txt']).toContain('no controller is known')
  })

  it('takes logs by the masked route, and tells where there are none', async () => {
    const ran = await make('logs.tar.gz', '--logs', 'nothing')
    expect(ran.code, ran.stderr).toBe(0)
    const files = await unpackBundle(join(world.dir, 'logs.tar.gz'))
    expect(files['errors.txt']).toMatch(/^controller\/logs-nothing\.txt: .*not found/m)
  })

  it('overwrites nothing, and refuses folders that are none', async () => {
    await writeFile(join(world.dir, 'taken.tar.gz'), 'mine')
    const taken = await make('taken.tar.gz')
    expect([taken.code, taken.stderr]).toEqual([2, expect.stringContaining('exists already')])
    expect((await stat(join(world.dir, 'taken.tar.gz'))).size).toBe(4)
    expect((await make('x.tar.gz', '--agent-data-dir', '/nonexistent')).code).toBe(2)
    expect((await make('x.tar.gz', '--agent-data-dir', 'relative')).code).toBe(2)
    expect((await make('no/such/folder.tar.gz')).code).toBe(1)
    expect(await readdir(world.dir)).not.toContain('x.tar.gz')
  })
})

describe('the server for assistants', () => {
  const plain = 'Kanarie-of-a-plain-value-77'
  const env = (): Record<string, string> => ({
    HOME: world.dir,
    STAGELY_SERVER: world.url,
    STAGELY_TOKEN: token,
    STAGELY_CA_FILE: join(world.controllerDir, 'ca.crt'),
  })

  it('answers what stands and why, and never with a value', async () => {
    const file = join(world.dir, 'plain-value')
    await writeFile(file, plain)
    const set = ['secrets', 'set', 'PLAIN', '-p', 'shop', '--plain', '--yes', '--from-file', file]
    await world.must(...set, '-m', marker)
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [main, 'mcp'],
      env: env(),
    })
    const client = new Client({ name: 'test', version: '1' })
    await client.connect(transport)
    try {
      const { tools } = await client.listTools()
      expect(tools.map(({ name }) => name).sort()).toEqual([
        ...['blame', 'diff', 'get', 'history', 'search', 'status', 'why'],
      ])
      expect(tools.filter(({ annotations }) => annotations?.readOnlyHint !== true)).toEqual([])
      const ask = async (name: string, given: object = {}): Promise<string> => {
        const answer = await client.callTool({ name, arguments: { ...given } })
        return (answer.content as { text: string }[]).map(({ text }) => text).join('\n')
      }
      await eventually(() => ask('history', { project: 'shop' })).toContain(marker)
      const answers = {
        status: await ask('status'),
        get: await ask('get', { kind: 'secrets' }),
        search: await ask('search', { words: 'shop' }),
        why: await ask('why', { project: 'shop' }),
        diff: await ask('diff', { project: 'shop', from: 0, to: 1 }),
        blame: await ask('blame', { project: 'shop' }),
      }
      expect(JSON.parse(answers.status)).toMatchObject({ projects: 1, secrets: 2 })
      for (const [name, answer] of Object.entries(answers)) {
        expect(answer, name).toMatch(/^[[{]/)
        expect(
          [canary, plain, token].filter((value) => answer.includes(value)),
          name,
        ).toEqual([])
      }
      expect(answers.get).toContain('"key":"PLAIN"')
      expect(await ask('get', { kind: 'secrets', name: 'none' })).toContain('NotFound')
      expect(await ask('why', { project: 'none' })).toContain('NotFound')
      expect(await ask('diff', { project: 'shop' })).toMatch(/from[^]*to/)
    } finally {
      await client.close()
    }
  })
})
