// The built command as a child process against a real controller process.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kubectl } from '../../support/kubectl/run.ts'
import { eventually } from '../../support/eventually.ts'
import { main, runCli, type Ran } from '../../support/programs/cli.ts'
import { startCommandWorld, type CommandWorld } from '../../support/programs/command-world.ts'

const head = (kind: string, name: string): string =>
  `apiVersion: stagely.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}, labels: {team: web}}\n`

const secret = (name: string, key: string, value: string, project = 'shop'): string =>
  `${head('StagelySecret', name)}spec: {projectRef: {name: ${project}}, key: ${key}, scope: backend, value: ${JSON.stringify(value)}}\n`

// Any order: the secret comes before its project.
const shop = (value = 'canary-one'): string =>
  [
    secret('stripe.backend', 'STRIPE_SECRET_KEY', value),
    `${head('Stagelet', 'shop')}spec: {projectRef: {name: shop}, agentRef: {name: box}, compose: {directory: /srv/shop}}\n`,
    `${head('Project', 'shop')}spec: {description: the shop}\n`,
    `${head('Agent', 'box')}spec: {}\n`,
  ].join('---\n')

/** A kubeconfig for another cluster, where nobody answers. */
const elsewhere = `apiVersion: v1
kind: Config
clusters: [{name: elsewhere, cluster: {server: 'https://127.0.0.1:1'}}]
users: [{name: elsewhere, user: {token: x}}]
contexts: [{name: elsewhere, context: {cluster: elsewhere, user: elsewhere}}]
current-context: elsewhere
`

let world: CommandWorld
let dir: string

const file = async (name: string, text: string): Promise<string> => {
  await writeFile(join(dir, name), text)
  return join(dir, name)
}

interface Head {
  metadata: { resourceVersion: string; generation: number; annotations: Record<string, string> }
}
const read = async (kind: string, name: string): Promise<Head & Record<string, unknown>> =>
  JSON.parse(await world.must('get', kind, name, '-o', 'json')) as Head & Record<string, unknown>

const words = (ran: Ran): string => ran.stdout + ran.stderr

describe('the stagely command', () => {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'stagely-cli-'))
    world = await startCommandWorld()
  })
  afterAll(async () => {
    await world.stop()
    await rm(dir, { recursive: true, force: true })
  })

  it.each([[['--help']], [['version']], [['get', 'projects', '-o', 'yaml']]])(
    'ends quietly where nobody reads what it says, as before "| grep -q": %j',
    async (args) => {
      const ca = join(world.controllerDir, 'ca.crt')
      const token = await readFile(join(world.controllerDir, 'admin-token'), 'utf8')
      const server = { STAGELY_SERVER: world.url, STAGELY_CA_FILE: ca, STAGELY_TOKEN: token.trim() }
      const env = { PATH: process.env['PATH'], HOME: dir, ...server }
      const child = spawn(process.execPath, [main, ...args], { env })
      child.stdout.destroy()
      let said = ''
      child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
      const [code] = (await once(child, 'close')) as [number | null]
      expect({ code, said }).toEqual({ code: 0, said: '' })
    },
  )

  it('applies several kinds in any order as one revision, and a second time changes nothing', async () => {
    const path = await file('shop.yaml', shop())
    const first = await world.cli('apply', '-f', path)
    expect(first.stdout).toBe(
      [
        'project.stagely.dev/shop created',
        'agent.stagely.dev/box created',
        'stagelysecret.stagely.dev/stripe.backend created',
        'stagelet.stagely.dev/shop created',
        '',
      ].join('\n'),
    )
    expect(first.stderr).toMatch(/^Warning: spec.type: whoever may run "docker inspect" .*\n$/)
    const before = await read('secret', 'stripe.backend')
    const second = await world.cli('apply', '-f', path)
    expect(second.code).toBe(0)
    expect(second.stdout.match(/unchanged/g)).toHaveLength(4)
    expect((await read('secret', 'stripe.backend')).metadata.generation).toBe(
      before.metadata.generation,
    )
    expect(JSON.stringify(before)).not.toContain('canary')
  })

  it('shows every local fault with file, line and field, and sends nothing', async () => {
    const path = await file(
      'bad.yaml',
      `${head('Project', 'never')}---\n${head('Stagelet', 'bad')}spec:\n  projectRef: {name: shop}\n  agentRef: {name: box}\n` +
        `  compose:\n    directory: srv\n    fil: x\n---\na: "canary-open\n---\n${secret('bare', 'A', 'x').replace('"x"', 'yes')}`,
    )
    const ran = await world.cli('apply', '-f', path)
    expect(ran.code).toBe(1)
    expect(ran.stdout).toBe('')
    const lines = ran.stderr.trim().split('\n')
    expect(lines).toHaveLength(4)
    expect(ran.stderr).toContain(`${path}:12: spec.compose.directory: `)
    expect(ran.stderr).toContain(`${path}:13: spec.compose.fil: unknown field`)
    expect(ran.stderr).toMatch(/:15: not valid YAML/)
    expect(ran.stderr).toMatch(/:20: spec.value: .*quote it/)
    expect(ran.stderr).not.toContain('canary')
    expect((await world.cli('get', 'project', 'never')).code).toBe(1)
  })

  it('shows every fault of the server at once, at its line, and applies nothing', async () => {
    const path = await file(
      'refused.yaml',
      [
        secret('fine', 'FINE', 'x'),
        secret('double', 'STRIPE_SECRET_KEY', 'x'),
        secret('stripe.backend', 'STRIPE_SECRET_KEY', 'x', 'other'),
      ].join('---\n'),
    )
    const ran = await world.cli('apply', '-f', path)
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(/refused.yaml:9: .*stripe.backend/)
    expect(ran.stderr).toMatch(/refused.yaml:14: spec.projectRef.name/)
    expect(await world.must('get', 'secrets', '-o', 'name')).not.toContain('fine')
  })

  it('tells in a diff what changes, by names only, and stores nothing', async () => {
    // The controller may write these meanwhile.
    const ofController = { conditions: undefined, observedGeneration: undefined }
    const stored = async (): Promise<unknown> => {
      const { metadata, spec, status } = await read('secret', 'stripe.backend')
      return [metadata.generation, spec, { ...(status as object), ...ofController }]
    }
    const before = await stored()
    const ran = await world.cliWith(shop('canary-two'), 'diff', '-f', '-')
    expect(ran.code).toBe(1)
    expect(ran.stdout).toContain(
      '~ stagelysecret.stagely.dev/stripe.backend (default)\n    value changes',
    )
    expect(ran.stdout).not.toContain('canary')
    expect(await stored()).toEqual(before)
    const same = await world.cliWith(shop(), 'diff', '-f', '-')
    expect([same.code, same.stdout]).toEqual([0, 'no change\n'])
    const json = await world.cliWith(shop('canary-two'), 'diff', '-f', '-', '-o', 'json')
    expect(JSON.parse(json.stdout)).toMatchObject({ faults: [], affected: [] })
  })

  it('changes nothing in a dry run', async () => {
    const ran = await world.cliWith(shop('canary-two'), 'apply', '-f', '-', '--dry-run')
    expect(ran.stdout).toContain('stagelysecret.stagely.dev/stripe.backend configured (dry run)')
    expect((await world.cliWith(shop(), 'diff', '-f', '-')).code).toBe(0)
  })

  it('removes a field that left the manifest, and keeps what others set', async () => {
    await world.must('deploy', 'shop')
    const without = shop().replace('spec: {description: the shop}', 'spec: {}')
    const ran = await world.cliWith(without, 'apply', '-f', '-')
    expect(ran.stdout).toContain('project.stagely.dev/shop configured')
    expect((await read('project', 'shop')).spec).toEqual({})
    expect(Object.keys((await read('stagelet', 'shop')).metadata.annotations)).toContain(
      'stagely.dev/redeploy',
    )
  })

  it('prints tables, names, YAML, several kinds, and what a label selects', async () => {
    const table = await world.must('get', 'stagelets')
    expect(table).toMatch(/^NAME {3}IN-SYNC {3}WANTED {3}RUNNING {3}AGENT {3}REASON +AGE\nshop /)
    expect(await world.must('get', 'stagelets', '-o', 'wide')).toContain('/srv/shop')
    expect(await world.must('get', 'stagely', '-o', 'name')).toBe(
      'project.stagely.dev/shop\nagent.stagely.dev/box\nstagelysecret.stagely.dev/stripe.backend\nstagelet.stagely.dev/shop\n',
    )
    expect(await world.must('get', 'stagelets,secrets', '-A')).toMatch(
      /NAMESPACE[^]*stagelet.stagely.dev\/shop[^]*\n\nNAMESPACE[^]*stagelysecret.stagely.dev\/stripe/,
    )
    expect(words(await world.cli('get', 'secrets', '-l', 'team!=web'))).toBe(
      'No resources found in default namespace.\n',
    )
    expect(await world.must('get', 'stg', 'shop', '-o', 'yaml')).toMatch(
      /^apiVersion: stagely.dev\/v1alpha1\nkind: Stagelet\n/,
    )
  })

  it('describes an object with its conditions', async () => {
    const text = await world.must('describe', 'secret', 'stripe.backend')
    expect(text).toMatch(/Name: +stripe.backend/)
    expect(text).toMatch(/Accepted +True/)
    expect(text).not.toContain('last-applied')
  })

  it('waits for conditions, says why it gave up, and fails at once for what is not there', async () => {
    expect(await world.must('wait', '--for=condition=Accepted', 'secrets', '--all')).toContain(
      'condition met',
    )
    const late = await world.cli(
      'wait',
      '--for=condition=SecretsInSync',
      'stg/shop',
      '--timeout',
      '500ms',
    )
    expect(late.code).toBe(1)
    expect(late.stderr).toMatch(
      /timed out after [01] s waiting for:\n {2}stagelet.stagely.dev\/shop: SecretsInSync=/,
    )
    expect((await world.cli('wait', '--for=condition=Accepted', 'secret/none')).code).toBe(1)
  })

  it('waits for nothing that somebody has to end first, and says what that is', async () => {
    const stagelet = (spec: string, name: string): string =>
      `${head('Stagelet', name)}spec: {projectRef: {name: shop}, ${spec}, compose: {directory: /srv/${name}}}\n`
    const ends: [string, string, RegExp][] = [
      ['held', 'agentRef: {name: box}, paused: true', /stagelet\/held: Paused: .*resume stagelet/],
      ['lost', 'agentRef: {name: nobody}', /stagelet\/lost: AgentMissing: agent "nobody"/],
    ]
    for (const [name, spec, why] of ends) {
      const ran = await world.cliWith(stagelet(spec, name), 'apply', '-f', '-', '--wait=5m')
      expect([ran.code, ran.stderr], name).toEqual([1, expect.stringMatching(why)])
      await world.must('delete', 'stagelet', name, '--yes')
    }
    const shown = await world.must(
      'wait',
      '--for=condition=Accepted',
      'secrets',
      '--all',
      '-o',
      'json',
    )
    expect(JSON.parse(shown)).toMatchObject({ kind: 'StagelySecret' })
  })

  it('sees a deletion that happens while it waits', async () => {
    await world.cliWith(secret('fleeting', 'FLEETING', 'x'), 'apply', '-f', '-')
    const waiting = world.cli('wait', '--for=delete', 'secret/fleeting', '--timeout', '20s')
    await world.must('delete', 'secret', 'fleeting', '--yes')
    expect((await waiting).code).toBe(0)
  })

  it('sets a secret from stdin or a file, never from the command line', async () => {
    const set = (input: string): Promise<Ran> =>
      world.cliWith(input, 'secrets', 'set', 'DB_URL', '--project', 'shop')
    expect((await set('canary-db\n')).stdout).toBe(
      'stagelysecret.stagely.dev/db-url.global created\n',
    )
    expect((await set('canary-db')).stdout).toContain('unchanged')
    expect((await set('other')).stdout).toContain('configured')
    const argv = await world.cli('secrets', 'set', 'DB_URL=canary', '--project', 'shop')
    expect([argv.code, words(argv).includes('canary')]).toEqual([2, false])
    const list = await world.must('secrets', 'list', '-p', 'shop')
    expect(list).toMatch(/db-url.global +shop +DB_URL +global +2/)
  })

  it('opens the dashboard by a link, and ends the session that it opened', async () => {
    const bin = await mkdtemp(join(tmpdir(), 'stagely-opener-'))
    try {
      const opened = join(bin, 'opened')
      const script = `#!/bin/sh\n{ echo "$1"; env; } > ${opened}.new\nmv ${opened}.new ${opened}\n`
      await writeFile(join(bin, 'xdg-open'), script, { mode: 0o755 })
      const token = await readFile(join(world.controllerDir, 'admin-token'), 'utf8')
      const ca = join(world.controllerDir, 'ca.crt')
      const server = { STAGELY_SERVER: world.url, STAGELY_CA_FILE: ca, STAGELY_TOKEN: token.trim() }
      const path = `${bin}:${process.env['PATH'] ?? ''}`
      const printed = await runCli(['open', '--print'], server)
      const link = /^https:\/\/\S+\/ui\/login#code=[\w-]{43}\n$/
      expect([printed.code, printed.stderr]).toEqual([0, ''])
      expect(printed.stdout).toMatch(link)
      const none = await runCli(['open'], { ...server, PATH: path })
      expect(none.stderr).toContain('No browser here')
      const shown = await runCli(['open'], { ...server, PATH: path, DISPLAY: ':9' })
      expect(shown.stdout).toMatch(link)
      expect(shown.stderr).toContain('Opened in your browser')
      await eventually(() => readFile(opened, 'utf8').catch(() => '')).not.toBe('')
      const text = await readFile(opened, 'utf8')
      expect(text).toContain(shown.stdout.trim())
      expect(text).not.toContain(token.trim())
      const code = shown.stdout.trim().split('#code=')[1] ?? ''
      const login = request(new URL('/api/v1/session', world.url), {
        method: 'POST',
        ca: await readFile(ca, 'utf8'),
        headers: { 'content-type': 'application/json' },
      })
      login.end(JSON.stringify({ code }))
      const [answer] = (await once(login, 'response')) as [IncomingMessage]
      answer.resume()
      expect(answer.statusCode).toBe(201)
      const listed = await world.must('get', 'sessions', '-o', 'json')
      const [{ id }] = JSON.parse(listed) as [{ id: string }]
      expect(await world.must('sessions', 'revoke', id, '--yes')).toContain(`session/${id} revoked`)
      expect(await world.must('get', 'sessions')).toBe('')
    } finally {
      await rm(bin, { recursive: true, force: true })
    }
  })

  it('says which versions run, and what is upgraded in which order', async () => {
    expect((await world.cli('upgrade')).stderr).toContain('--check')
    expect(await world.must('admin', 'upgrade', '--check')).toContain('Unknown: agent default/box.')
  })

  it('makes a join token, lists and revokes agents', async () => {
    expect(await world.must('agent', 'token', 'create', '--name', 'box', '--ttl', '1m')).toMatch(
      /^\S+\n$/,
    )
    expect(await world.must('get', 'agents', '-o', 'wide')).toMatch(
      /^NAME +READY .*ENGINE[^]*\nbox /,
    )
    expect(await world.must('get', 'agents', '-A', '-o', 'name')).toBe('agent.stagely.dev/box\n')
    expect(JSON.parse(await world.must('get', 'agents', '-o', 'json'))).toMatchObject({
      items: [{ kind: 'Agent', metadata: { name: 'box' } }],
    })
    expect((await world.cli('agent', 'revoke', 'nobody', '--yes')).code).toBe(1)
  })

  it('says of the whole what is in sync and what is not, for programs as well', async () => {
    const status = JSON.parse(await world.must('status', '-o', 'json')) as Record<string, unknown>
    expect(status).toMatchObject({
      server: world.url,
      namespace: 'default',
      stagelets: { total: 1, in_sync: 0 },
      agents: { total: 1, ready: 0 },
    })
    const { warnings } = status as { warnings: { object: string }[] }
    const told = await world.must('status')
    expect(warnings.length).toBeGreaterThan(0)
    for (const { object } of warnings) expect(told).toContain(object)
    expect(await world.must('status', '-A', '-o', 'yaml')).toMatch(/^server: .*\nstagelets:/)
    expect((await world.cli('status', '-o', 'name')).code).toBe(2)
  })

  it('says of a rotation and of a store what needs attention', async () => {
    const manifest = await file(
      'attention.yaml',
      [
        `${head('Rotation', 'due')}spec: {projectRef: {name: shop}, outputs: {current: nobody}, rotator: {generate: {length: 20}}}\n`,
        `${head('SecretStore', 'far')}spec: {vault: {address: "https://vault.example.com"}, auth: {secretRef: {name: nobody}}}\n`,
      ].join('---\n'),
    )
    await world.must('apply', '-f', manifest)
    await eventually(() => world.must('status')).toMatch(
      /rotation\.stagely\.dev\/due +Ready=False Refused[^]*secretstore\.stagely\.dev\/far +Ready=/,
    )
    await world.must('delete', '-f', manifest, '--yes')
  })

  it('verifies an export that it has written, and names the first row that was changed', async () => {
    const path = await file('audit.jsonl', await world.must('admin', 'audit', 'export'))
    const whole = await world.cli('admin', 'audit', 'verify', path)
    expect([whole.code, whole.stdout]).toEqual([
      0,
      expect.stringMatching(/^\d+ rows are as they were written/),
    ])
    const rows = (await readFile(path, 'utf8')).replace(
      '"actor":{"name":"admin"',
      '"actor":{"name":"eve"',
    )
    const changed = await world.cliWith(rows, 'admin', 'audit', 'verify', '-')
    expect([changed.code, changed.stderr]).toEqual([
      1,
      expect.stringMatching(/^The audit log is NOT as it was written: row \d+ /),
    ])
    const gone = await world.cli('admin', 'audit', 'verify', join(dir, 'gone.jsonl'))
    expect([gone.code, gone.stderr]).toEqual([
      1,
      `error: cannot read ${join(dir, 'gone.jsonl')}: there is no such file\n`,
    ])
  })

  it('says how to connect when it cannot', async () => {
    const env = { HOME: dir, STAGELY_SERVER: 'https://127.0.0.1:1', STAGELY_TOKEN: 'x' }
    expect((await runCli(['get', 'stagelets'], env)).stderr).toContain('connection refused')
    const noCa = await runCli(['get', 'stagelets'], { ...env, STAGELY_SERVER: world.url })
    expect(noCa.stderr).toContain('STAGELY_CA_FILE')
    const caFile = join(world.controllerDir, 'ca.crt')
    const wrong = await runCli(['get', 'stagelets'], {
      ...env,
      STAGELY_SERVER: world.url,
      STAGELY_CA_FILE: caFile,
    })
    expect(wrong.stderr).toContain('401')
    expect((await runCli(['get', 'stagelets'], { HOME: dir })).stderr).toContain('stagely login')
    const clear = await runCli(['get', 'stagelets'], {
      ...env,
      STAGELY_SERVER: 'http://stagely.example',
    })
    expect(clear.stderr).toContain('in the clear')
  })

  it('remembers a login in a private file, and makes a kubeconfig of it', async () => {
    const caFile = join(world.controllerDir, 'ca.crt')
    const token = await readFile(join(world.controllerDir, 'admin-token'), 'utf8')
    const home = { HOME: dir }
    const bad = await runCli(['login', '--server', world.url, '--ca-file', caFile], home, 'wrong')
    expect(bad.code).toBe(1)
    const good = await runCli(['login', '--server', world.url, '--ca-file', caFile], home, token)
    expect([good.code, good.stdout.includes(token.trim())]).toEqual([0, false])
    // Nobody is sent to a page that this controller does not have.
    const web = [...['login', '--web', '--server', world.url], '--ca-file', caFile]
    const noProvider = await runCli(web, home)
    expect([noProvider.code, noProvider.stderr]).toEqual([
      1,
      expect.stringContaining('--oidc-issuer'),
    ])
    expect((await stat(join(dir, '.config/stagely/config.json'))).mode & 0o777).toBe(0o600)
    expect((await runCli(['get', 'stagelets'], home)).stdout).toContain('shop')
    const kubeconfig = await runCli(['kubeconfig'], home)
    const path = await file('kubeconfig', kubeconfig.stdout)
    const other = await runCli(['get', 'stagelets', '--kubeconfig', path], { HOME: '/nonexistent' })
    expect(other.stdout).toContain('shop')
  })

  it('keeps logins to several controllers, of which one is current', async () => {
    const home = { HOME: await mkdtemp(join(dir, 'home-')) }
    const token = (await readFile(join(world.controllerDir, 'admin-token'), 'utf8')).trim()
    const caFile = join(world.controllerDir, 'ca.crt')
    const config = join(home.HOME, '.config/stagely/config.json')
    // A build without contexts stored one login.
    await mkdir(dirname(config), { recursive: true })
    await writeFile(config, JSON.stringify({ server: 'https://127.0.0.1:1', token: 'of-before' }))
    const run = (...args: string[]): Promise<Ran> => runCli(args, home, token)
    const login = ['login', '--server', world.url, '--ca-file', caFile, '--context']
    expect((await run(...login, 'a b')).stderr).toContain('--context must be a name')
    expect((await run(...login, 'prod')).stdout).toContain('remembered as prod')
    const listed = await run('context')
    expect(listed.stdout).toMatch(/^ +127\.0\.0\.1 +https:\/\/127\.0\.0\.1:1\n\* +prod /m)
    const data = await run('context', '-o', 'json')
    expect(data.stdout).not.toMatch(new RegExp(`${token}|of-before`))

    const names = ['get', 'stagelets', '-o', 'name']
    expect((await run(...names)).stdout).toContain('/shop')
    expect((await run(...names, '--context', '127.0.0.1')).stderr).toContain('127.0.0.1:1')
    expect((await run(...names, '--context', 'none')).stderr).toContain('there are 127.0.0.1, prod')
    expect((await run('context', '--rename', '127.0.0.1', 'prod')).code).toBe(2)
    expect((await run('context', '--rename', '127.0.0.1', 'old')).code).toBe(0)
    expect((await run('context', 'old')).stdout).toContain('https://127.0.0.1:1')
    expect((await run(...names)).stderr).toContain('127.0.0.1:1')
    const byName = await runCli(names, { ...home, STAGELY_CONTEXT: 'prod' })
    expect(byName.stdout).toContain('/shop')
    // The token of the server that is asked for, though another login is current.
    expect((await runCli(['kube-token', '--server', world.url], home)).stdout).toContain(token)

    expect((await run('logout')).stdout).toBe('Logged out of old: https://127.0.0.1:1\n')
    expect((await run(...names)).stderr).toContain('stagely context NAME')
    expect((await run('logout')).code).toBe(1)
    expect((await run('logout', '--all')).stdout).toBe(`Logged out of prod: ${world.url}\n`)
    expect(await readFile(config, 'utf8')).not.toContain(token)
    expect((await stat(config)).mode & 0o777).toBe(0o600)
    // A token that came from a file is not of this login alone.
    expect(await world.must('whoami')).toContain('admin')
  })

  it('follows the changes of a kind, a line for each, until it is stopped', async () => {
    const refused = await world.cli('get', 'stagelets,secrets', '-w')
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('one kind')])
    expect((await world.cli('get', 'project', 'none', '-w')).stderr).toContain('NotFound')
    const token = await readFile(join(world.controllerDir, 'admin-token'), 'utf8')
    const STAGELY_CA_FILE = join(world.controllerDir, 'ca.crt')
    const server = { STAGELY_SERVER: world.url, STAGELY_CA_FILE, STAGELY_TOKEN: token.trim() }
    const follow = (...args: string[]): { readonly said: () => string; stop: () => void } => {
      const env = { PATH: process.env['PATH'], HOME: dir, ...server }
      const child = spawn(process.execPath, [main, 'get', ...args], { env })
      let text = ''
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
      return { said: () => text, stop: () => child.kill() }
    }
    const lines = follow('projects', '-w')
    const data = follow('projects', '-w', '-o', 'json', '-l', 'team=web')
    await eventually(lines.said).toMatch(/^EVENT +NAME .*\nADDED +shop /)
    await eventually(data.said).toContain('"type":"ADDED"')
    await world.must('apply', '-f', await file('side.yaml', `${head('Project', 'side')}spec: {}\n`))
    await eventually(lines.said).toMatch(/^ADDED +side /m)
    await world.must('delete', 'project', 'side', '--yes')
    await eventually(lines.said).toMatch(/^DELETED +side /m)
    const deleted = /^\{"type":"DELETED","object":\{.*"name":"side".*\}$/m
    await eventually(data.said).toMatch(deleted)
    for (const { stop } of [lines, data]) stop()
  })

  it('works in the only team of who logs in, unless told another', async () => {
    const home = { HOME: await mkdtemp(join(dir, 'home-')) }
    await world.must('admin', 'team', 'create', 'lone')
    await world.must('admin', 'user', 'create', 'lea')
    await world.must('admin', 'team', 'add', 'lone', 'lea', '--role', 'developer')
    const token = await world.must('token', 'create', 'login', '--user', 'lea')
    const caFile = join(world.controllerDir, 'ca.crt')
    const args = ['login', '--server', world.url, '--ca-file', caFile]
    const login = await runCli(args, home, token)
    expect(login.stdout).toContain(
      `Logged in to ${world.url}, namespace lone; remembered as 127.0.0.1 in `,
    )
    const inNamespace = async (env: object, ...more: string[]): Promise<string | undefined> =>
      /namespace (\S+)/.exec((await runCli(['status', ...more], { ...home, ...env })).stdout)?.[1]
    expect(await inNamespace({})).toBe('lone')
    const sealing = await file('lone.pub', await world.must('seal', '--fetch-key'))
    const seal = ['seal', 'A', '-p', 'shop', '--key-file', sealing, '-o', 'yaml']
    expect((await runCli(seal, home, 'canary')).stdout).toContain('namespace: lone')
    expect((await runCli(['kubeconfig'], home)).stdout).toContain('namespace: lone')
    // Of others there is no right to it, which the refusal names.
    const other = await runCli(['status'], { ...home, STAGELY_NAMESPACE: 'default' })
    expect([other.code, other.stderr.includes('in the namespace "default"')]).toEqual([1, true])
    expect(await inNamespace({ STAGELY_NAMESPACE: 'default' }, '-n', 'lone')).toBe('lone')
    await world.must('admin', 'team', 'add', 'default', 'lea', '--role', 'viewer')
    const both = await runCli(args, home, token)
    expect(both.stdout).toContain(`Logged in to ${world.url}; remembered as 127.0.0.1 in `)
    expect(await inNamespace({})).toBe('default')
    const said = await runCli([...args, '-n', 'lone'], home, token)
    expect([said.code, await inNamespace({})]).toEqual([0, 'lone'])
  })

  it('puts its context beside others in a kubeconfig, and kubectl logs in by it', async () => {
    const home = await mkdtemp(join(dir, 'home-'))
    const token = await readFile(join(world.controllerDir, 'admin-token'), 'utf8')
    const login = ['login', '--server', world.url, '--ca-file', join(world.controllerDir, 'ca.crt')]
    expect((await runCli(login, { HOME: home }, token)).code).toBe(0)
    const shared = await file('shared.yaml', elsewhere)
    const merge = ['kubeconfig', '--merge', '--exec']
    const env = { HOME: home, KUBECONFIG: shared }
    expect((await runCli(merge, env)).stdout).toContain(`context "stagely" written to ${shared}`)
    expect(await readFile(shared, 'utf8')).not.toContain(token.trim())
    const named = ['get', 'stagelets', '-o', 'name']
    const got = { code: 0, stdout: 'stagelet.stagely.dev/shop\n', stderr: '' }
    expect(await kubectl(named, env)).toEqual(got)
    const contexts = await kubectl(['config', 'get-contexts', '-o', 'name'], env)
    expect(contexts.stdout).toBe('elsewhere\nstagely\n')
    const other = await kubectl([...named, '--context', 'elsewhere'], env)
    expect(other.stderr).toContain('127.0.0.1:1 was refused')

    const wrong = { ...env, STAGELY_SERVER: world.url, STAGELY_TOKEN: 'wrong' }
    const refused = await kubectl(named, wrong)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('error: You must be logged in to the server')
    const foreign = await runCli(['kube-token', '--server', 'https://127.0.0.1:1'], env)
    expect([foreign.code, foreign.stdout]).toEqual([1, ''])

    const own = join(dir, 'own.yaml')
    expect((await runCli(['kubeconfig', '--file', own], { HOME: home })).code).toBe(0)
    expect((await stat(own)).mode & 0o777).toBe(0o600)
    const empty = await mkdtemp(join(dir, 'home-'))
    expect(await kubectl(named, { HOME: empty, KUBECONFIG: own })).toEqual(got)
  })

  it('takes several kubeconfigs together, as kubectl does', async () => {
    const home = { HOME: '/nonexistent' }
    const text = await world.must('kubeconfig')
    const mine = await file('mine.yaml', text)
    const other = await file('other.yaml', text.replaceAll('stagely', 'elsewhere'))
    const [, server = ''] = /server: (\S+)/.exec(text)!
    await file('other.yaml', (await readFile(other, 'utf8')).replace(server, 'https://127.0.0.1:1'))
    const get = (KUBECONFIG: string): Promise<Ran> =>
      runCli(['get', 'stagelets'], { ...home, KUBECONFIG })
    expect((await get(`${mine}:${other}`)).stdout).toContain('shop')
    expect((await get(`${other}:${mine}`)).stderr).toContain('connection refused')
    const absent = join(dir, 'absent')
    expect((await get(`${mine}:${absent}`)).stderr).toContain(
      `cannot read the kubeconfig ${absent}`,
    )
  })

  it('exits with 2 for wrong usage, and every command has help with examples', async () => {
    for (const args of [
      ['nonsense'],
      ['apply'],
      ['get'],
      ['get', 'pods'],
      ['wait', 'stg/shop'],
      ['apply', '--no-such-flag'],
    ]) {
      expect((await world.cli(...args)).code, args.join(' ')).toBe(2)
    }
    const overview = await world.must('--help')
    const commands = [...overview.matchAll(/^ {2}([a-z]+) {2,}/gm)]
      .map((m) => m[1]!)
      .filter((c) => c !== 'help')
    expect(commands.length).toBeGreaterThan(12)
    for (const command of commands) {
      expect(await world.must(command, '--help'), command).toMatch(/Examples?:/)
    }
  })

  it('deletes by file in the right order, and is done when they are gone', async () => {
    const path = await file('shop.yaml', shop())
    const ran = await world.cli('delete', '-f', path, '--yes', '--timeout', '30s')
    expect(ran.stdout).toMatch(/^stagelet[^]*project.stagely.dev "shop" deleted\n$/)
    expect(words(await world.cli('get', 'stagely'))).toBe(
      'No resources found in default namespace.\n',
    )
    expect((await world.cli('delete', 'secret', 'none')).code).toBe(1)
    expect((await world.cli('delete', 'secret', 'none', '--ignore-not-found')).code).toBe(0)
  })
})
