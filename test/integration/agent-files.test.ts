// File secrets in a real stack: in place of whatever uses their path, exact to the byte and the bit,
// and nowhere else.
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeys } from '../../src/protocol/keys.ts'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeAsRoot } from '../support/as-root.ts'
import {
  desiredFor,
  digestFor,
  held,
  heldFile,
  startMachine,
  type Machine,
} from '../support/docker/docker.ts'
import { newFilesRoot, startLonelyAgent } from '../support/files.ts'
import { createStack, idleService, recreatedBetween, type Stack } from '../support/docker/stack.ts'

const compose = `services:
${idleService(
  'shorty',
  `    volumes: ["./x/../config/app.json:/app/config.json:ro", "./other:/other"]
    environment: {PLAIN: "yes"}
`,
)}${idleService(
  'longy',
  `    volumes:
      - {type: bind, source: "\${CONF_DIR:-./config}/app.json", target: /etc/app.json}
`,
)}${idleService(
  'folder',
  `    volumes: ["./config/:/srv/config:ro"]
`,
)}${idleService(
  'classic',
  `    secrets: [token, {source: token, target: renamed}, {source: token, target: /etc/token}]
    configs: [settings, {source: settings, target: /etc/settings}]
`,
)}${idleService(
  'priced',
  `    volumes: ["./pri$$ce/app.json:/app/p$$.json:ro"]
`,
)}${idleService('pointed')}${idleService('plain')}
secrets:
  token: {file: ./run/token}
configs:
  settings: {file: ./run/settings}
`
const binary = Buffer.concat([Buffer.from([0, 255, 10, 13, 0, 128]), randomBytes(70_000)])
const app = { path: 'config//app.json', mode: '0440', uid: 1234, gid: 4321 }

const first = [
  heldFile('APP', binary, app, 'shorty'),
  heldFile('APP', 'for longy', { path: './config/app.json/', mode: '0644' }, 'longy'),
  heldFile('APP', 'for folder', { path: './config/app.json' }, 'folder'),
  heldFile('APP', 'for priced', { path: 'pri$ce/app.json' }, 'priced'),
  heldFile('TOKEN', 'the token value', { path: 'run/token', mode: '0444' }, 'classic'),
  heldFile('SETTINGS', 'the settings', { path: 'run/./settings', mode: '0600' }, 'classic'),
  heldFile(
    'DB_PASSWORD',
    'db password',
    { target: '/secrets//db', envVar: 'DB_PASSWORD_FILE', mode: '0400' },
    'pointed',
  ),
  held('PLAIN_ENV', 'env value', 'pointed'),
  heldFile('NOWHERE', 'not used', { path: './nothing/uses/this' }, 'plain'),
]

describeAsRoot('file secrets', () => {
  let stack: Stack
  let machine: Machine
  let dataDir: string
  let filesRoot: string
  const filesDir = newFilesRoot()
  const agentUid = 'agent-uid'
  const key = generateKeys('X25519')

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'stagely-agent-'))
    filesRoot = join(filesDir, agentUid)
    stack = await createStack(compose)
    await mkdir(join(stack.directory, 'config'))
    await mkdir(join(stack.directory, 'other'))
    await writeFile(join(stack.directory, 'config/app.json'), 'the user’s own')
    await stack.keepTree()
    machine = await startMachine(stack, { dataDir, filesRoot, filesKey: key })
    await machine.roll(first)
  })
  afterAll(async () => {
    await machine?.stop()
    await stack?.remove()
    await rm(dataDir, { recursive: true, force: true })
    await rm(filesDir, { recursive: true, force: true })
  })

  const inside = async (service: string, ...command: string[]): Promise<string> =>
    await stack.docker('exec', (await stack.containers())[service]!.id, ...command)
  const read = async (service: string, path: string): Promise<Buffer> =>
    Buffer.from(await inside(service, 'base64', path), 'base64')
  const look = (service: string, path: string): Promise<string> =>
    inside(service, 'stat', '-c', '%a %u %g', path)
  const isReadOnly = async (service: string, path: string): Promise<boolean> => {
    const mounts = (await inside(service, 'cat', '/proc/mounts')).split('\n')
    const line = mounts.find((m) => m.split(' ')[1] === path)
    return / ro[, ]/.test(line ?? '')
  }
  const onTmpfs = async (): Promise<string[]> =>
    (await readdir(filesRoot, { recursive: true }).catch(() => []))
      .filter((name) => name.includes('/'))
      .map((name) => name.split('/')[1]!)
      .sort()
  const digests = (entries: typeof first): string[] =>
    entries
      .filter((e) => e.type === 'file' && e.key !== 'NOWHERE')
      .map((e) => e.valueDigest)
      .sort()

  it('replace a short volume by path, with exact bytes, mode and owner, and keep ro', async () => {
    expect((await read('shorty', '/app/config.json')).equals(binary)).toBe(true)
    expect(await look('shorty', '/app/config.json')).toBe('440 1234 4321\n')
    expect(await isReadOnly('shorty', '/app/config.json')).toBe(true)
    expect((await stack.environmentOf('shorty'))['PLAIN']).toBe('yes')
  })

  it('replace a long volume with a variable in it, a file in a mounted folder, secrets and configs', async () => {
    expect((await read('longy', '/etc/app.json')).toString()).toBe('for longy')
    expect(await look('longy', '/etc/app.json')).toBe('644 0 0\n')
    expect(await isReadOnly('longy', '/etc/app.json')).toBe(false)
    expect((await read('folder', '/srv/config/app.json')).toString()).toBe('for folder')
    expect(await isReadOnly('folder', '/srv/config/app.json')).toBe(true)
    for (const path of ['/run/secrets/token', '/run/secrets/renamed', '/etc/token'])
      expect((await read('classic', path)).toString(), path).toBe('the token value')
    for (const path of ['/settings', '/etc/settings'])
      expect((await read('classic', path)).toString(), path).toBe('the settings')
    expect(await isReadOnly('classic', '/run/secrets/token')).toBe(true)
  })

  it('replace what is mounted from and to a path with a dollar in it', async () => {
    expect((await read('priced', '/app/p$.json')).toString()).toBe('for priced')
    expect(await isReadOnly('priced', '/app/p$.json')).toBe(true)
  })

  it('go to their target, with a variable that points there', async () => {
    expect((await read('pointed', '/secrets/db')).toString()).toBe('db password')
    expect(await look('pointed', '/secrets/db')).toBe('400 0 0\n')
    expect(await stack.environmentOf('pointed')).toMatchObject({
      DB_PASSWORD_FILE: '/secrets/db',
      PLAIN_ENV: 'env value',
    })
  })

  it('count in labels and gate, and are named where no service mounts them', async () => {
    const report = machine.reports.at(-1)!
    for (const service of ['shorty', 'longy', 'folder', 'priced', 'classic', 'pointed'])
      expect(report.passed[service]).toBe(digestFor(service, first))
    expect(report.unmountedFiles).toEqual(['NOWHERE'])
    expect(await onTmpfs()).toEqual(digests(first))
  })

  it('re-create only who sees a new version, whose old file then goes', async () => {
    const before = await stack.containers()
    const next = [heldFile('APP', 'rotated', app, 'shorty'), ...first.slice(1)]
    await machine.roll(next)
    expect(recreatedBetween(before, await stack.containers())).toEqual(['shorty'])
    expect((await read('shorty', '/app/config.json')).toString()).toBe('rotated')
    expect(await onTmpfs()).toEqual(digests(next))
    const settled = await stack.containers()
    await machine.roll(next)
    expect(recreatedBetween(settled, await stack.containers())).toEqual([])
  })

  it.each<[string, Parameters<typeof heldFile>, RegExp]>([
    [
      'a mount point that Docker would make in the user’s folder',
      ['NEW', 'x', { path: './other/new.json' }, 'shorty'],
      /has no file .*other\/new\.json/,
    ],
    [
      'a target in a folder of the user’s',
      ['NEW', 'x', { target: '/other/new.json' }, 'shorty'],
      /has no file .*other\/new\.json/,
    ],
    [
      'the place of another one',
      ['NEW', 'x', { target: '/app/config.json' }, 'shorty'],
      /both go to \/app\/config\.json/,
    ],
    ['the env file of the stack', ['NEW', 'x', { path: '.env' }], /make it secrets of type env/],
  ])('refuse %s, and everything runs on', async (_what, secret, expected) => {
    const before = await stack.containers()
    const revision = 100 + machine.reports.length
    machine.loop.setDesired(desiredFor(stack, { revision }), [
      ...first.slice(1),
      heldFile(...secret),
      heldFile('APP', 'rotated', app, 'shorty'),
    ])
    const report = await machine.until((r) => r.revision === revision && r.phase === 'Failed')
    expect(report.fault?.reason).toBe('FileNotMountable')
    expect(report.fault?.message).toMatch(expected)
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
  })

  it('leave no folder in place of a deleted one: what runs is kept until somebody says what is meant', async () => {
    const before = await stack.containers()
    const revision = 200 + machine.reports.length
    const now = [heldFile('APP', 'rotated', app, 'shorty'), ...first.slice(1)]
    const others = now.filter(({ scope }) => scope !== 'priced')
    machine.loop.setDesired(desiredFor(stack, { revision }), others)
    const report = await machine.until((r) => r.revision === revision && r.phase === 'Failed')
    expect(report.fault?.reason).toBe('FileMissing')
    expect(report.fault?.message).toMatch(
      /priced mounts .*pri\$ce\/app\.json, which the file secret APP filled until now/,
    )
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
    expect((await read('priced', '/app/p$.json')).toString()).toBe('for priced')
    expect(await readdir(stack.directory)).not.toContain('pri$ce')
    await machine.roll(now)
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
  })

  it('come back after a reboot without a controller, and so does the stack', async () => {
    await machine.stop()
    const before = await stack.containers()
    await stack.docker('kill', ...Object.values(before).map((c) => c.id))
    await rm(filesRoot, { recursive: true })
    expect(await stack.docker('start', before['shorty']!.id).catch(String)).toMatch(
      /no such file|not exist/,
    )
    const agent = await startLonelyAgent({ dataDir, filesDir, agentUid, key })
    await expect
      .poll(() => read('shorty', '/app/config.json').then(String, () => ''))
      .toBe('rotated')
    expect(await look('shorty', '/app/config.json')).toBe('440 1234 4321\n')
    await expect
      .poll(() => read('pointed', '/secrets/db').then(String, () => ''))
      .toBe('db password')
    const after = await stack.containers()
    for (const [service, { id }] of Object.entries(before)) expect(after[service]?.id).toBe(id)
    expect(await inside('plain', 'true')).toBe('')
    await agent.stop()
    const kept = await readFile(join(dataDir, 'files', (await readdir(join(dataDir, 'files')))[0]!))
    expect(kept.includes('db password') || kept.includes('rotated')).toBe(false)
    machine = await startMachine(stack, { dataDir, filesRoot, filesKey: key })
  })

  it('leave the user’s folder exactly as it was', async () => {
    await stack.checkTree()
  })

  it('are gone from the tmpfs when the stack is taken down', async () => {
    machine.loop.setDesired(desiredFor(stack, { revision: 1000, release: 'Down' }), first)
    await machine.until((r) => r.phase === 'Released')
    expect(await onTmpfs()).toEqual([])
    expect(await readdir(join(dataDir, 'files'))).toEqual([])
    await stack.checkTree()
  })
})
