// Values out of a project by the built command, for each role: who may gets them, who may not gets
// nothing of them, and the audit has both.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { teamRoles, type TeamRole } from '../../../src/access/team-roles.ts'
import { rolesWith } from '../../../src/access/roles.ts'
import type { AuditRecord } from '../../../src/audit/record.ts'
import { passes } from '../../support/eventually.ts'
import { controllerHere } from '../../support/programs/controller-here.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import {
  runCli,
  runCliProcess,
  startWorld,
  type Ran,
  type World,
} from '../../support/programs/processes.ts'

const mayRead = rolesWith('get', 'stagelysecrets/value')
const mayNot = teamRoles.filter((role) => !mayRead.includes(role))

let world: World
const tokens = new Map<TeamRole, string>()

/** What each command prints to a person who may; the command and the audit's word for it. */
const ways: { way: string; args: string[]; prints: string }[] = [
  {
    way: 'run',
    args: ['run', '-p', 'shop', '--service', 'web', '--', 'sh', '-c', 'printf %s "$URL"'],
    prints: 'db://canary-pass@db',
  },
  {
    way: 'export',
    args: ['secrets', 'export', '-p', 'shop', '--service', 'web'],
    prints: 'PASS=canary-pass\nURL=db://canary-pass@db\n',
  },
  {
    way: 'reveal',
    args: ['secrets', 'get', 'URL', '-p', 'shop', '--reveal'],
    prints: 'db://canary-pass@db',
  },
  {
    way: 'reveal',
    args: ['secrets', 'get', 'URL', '-p', 'shop', '--reveal', '--as-written'],
    prints: 'db://${PASS}@db',
  },
]

const as = async (role: TeamRole, args: readonly string[], by = runCli): Promise<Ran> =>
  by(args, {
    HOME: world.dir,
    STAGELY_SERVER: world.url,
    STAGELY_TOKEN: tokens.get(role),
    STAGELY_CA_FILE: join(world.controllerDir, 'ca.crt'),
  })

const audit = async (...args: string[]): Promise<AuditRecord[]> =>
  JSON.parse(await world.must('admin', 'audit', 'list', '-o', 'json', ...args)) as AuditRecord[]

describe('values by the command line', () => {
  beforeAll(async () => {
    world = await startWorld({
      controllerBy: controllerHere,
      database: await freshDatabase(),
      withAgent: false,
    })
    const head = 'apiVersion: stagely.dev/v1alpha1\n'
    const secret = (key: string, value: string, more = ''): string =>
      `---\n${head}kind: StagelySecret\nmetadata: {name: ${key.toLowerCase()}}\n` +
      `spec: {projectRef: {name: shop}, key: ${key}, scope: global, value: "${value}"${more}}\n`
    const applied = await world.apply(
      `${head}kind: Project\nmetadata: {name: shop}\nspec: {}\n` +
        secret('PASS', 'canary-pass') +
        secret('URL', 'db://${PASS}@db', ', references: true'),
    )
    expect(applied.code, applied.stderr).toBe(0)
    for (const role of teamRoles) {
      await world.must('admin', 'user', 'create', role)
      await world.must('admin', 'team', 'add', 'default', role, '--role', role)
      tokens.set(role, (await world.must('token', 'create', 'cli', '--user', role)).trim())
    }
  })
  afterAll(() => world.stop())

  it('cuts nothing off from what it follows, unless it is told to', async () => {
    const head = { apiVersion: 'stagely.dev/v1alpha1' }
    const project = { ...head, kind: 'Project', metadata: { name: 'followers' } }
    await world.cliWith(JSON.stringify(project), 'apply', '-f', '-')
    const set = (value: string, ...words: string[]): ReturnType<typeof world.cliWith> =>
      world.cliWith(value, 'secrets', 'set', ...words, '--yes', '-p', 'followers')
    await set('one secret', 'OTP', '--scope', 'sidekiq')
    await set('${sidekiq/OTP}', 'OTP', '--scope', 'web', '--references')
    const cut = await set('another secret', 'OTP', '--scope', 'web')
    expect([cut.code, cut.stderr]).toEqual([
      1,
      expect.stringMatching(/OTP follows \$\{sidekiq\/OTP\}, .* with --detach/) as string,
    ])
    expect((await set('still ${sidekiq/OTP}', 'OTP', '--scope', 'web')).code).toBe(0)
    const own = await set('another secret', 'OTP', '--scope', 'web', '--detach')
    expect([own.code, own.stdout]).toEqual([0, expect.stringContaining('configured') as string])
  })

  it('are set for show: what would change, whom it reaches and what follows, and nothing is stored', async () => {
    const head = { apiVersion: 'stagely.dev/v1alpha1' }
    const project = { ...head, kind: 'Project', metadata: { name: 'shown' } }
    await world.cliWith(JSON.stringify(project), 'apply', '-f', '-')
    const set = (value: string, ...words: string[]): ReturnType<typeof world.cliWith> =>
      world.cliWith(value, 'secrets', 'set', ...words, '-p', 'shown')
    const reveal = (): ReturnType<typeof world.must> =>
      world.must('secrets', 'get', 'PIN', '--scope', 'sidekiq', '--reveal', '-p', 'shown')
    const created = await set('one secret', 'PIN', '--scope', 'sidekiq', '--dry-run')
    expect([created.code, created.stdout]).toEqual([
      0,
      'stagelysecret.stagely.dev/pin.sidekiq created (dry run)\nNo running service would be re-created.\n',
    ])
    await expect(reveal()).rejects.toThrow()
    await set('one secret', 'PIN', '--scope', 'sidekiq')
    await set('${sidekiq/PIN}', 'PIN', '--scope', 'web', '--references')
    await set('url of ${PIN}', 'URL', '--scope', 'web', '--references')
    const followers = 'PIN (web) and URL (web) follow it: their values change with it.\n'
    for (const [value, words, verdict, said] of [
      ['another secret', ['--dry-run'], 'configured (dry run)', followers],
      ['one secret', ['--dry-run'], 'unchanged (dry run)', ''],
      ['one secret', [], 'unchanged', ''],
    ] as const) {
      const ran = await set(value, 'PIN', '--scope', 'sidekiq', ...words)
      expect([ran.code, ran.stdout.split('\n')[0], ran.stderr]).toEqual([
        0,
        `stagelysecret.stagely.dev/pin.sidekiq ${verdict}`,
        said,
      ])
      expect(await reveal()).toBe('one secret')
    }
    const late = ['PIN', '--scope', 'sidekiq', '--dry-run', '--expect-version', '7']
    const stale = await set('another secret', ...late)
    expect([stale.code, stale.stderr]).toEqual([
      1,
      expect.stringContaining('version 7 of PIN was expected, and 1 is stored') as string,
    ])
    const bad = await set('${nobody/HAS}', 'PIN', '--scope', 'web', '--references', '--dry-run')
    expect([bad.code, bad.stderr.includes('nobody/HAS')]).toEqual([1, true])
    expect((await set('another secret', 'PIN', '--scope', 'sidekiq')).stderr).toBe(followers)
    expect(await reveal()).toBe('another secret')
    const cut = await set('a third secret', 'URL', '--scope', 'web')
    expect(cut.stderr.split('\n').slice(1)).toEqual([
      '  stagely secrets set PIN --project shown --scope web',
      '  stagely secrets set URL --project shown --scope web --detach',
      '',
    ])
  })

  it('say which secrets follow in which environment', async () => {
    const head = { apiVersion: 'stagely.dev/v1alpha1' }
    const environments = [{ name: 'production' }, { name: 'staging' }]
    const project = {
      ...head,
      kind: 'Project',
      metadata: { name: 'apart' },
      spec: { environments },
    }
    await world.cliWith(JSON.stringify(project), 'apply', '-f', '-')
    const set = async (value: string, ...words: string[]): Promise<string> => {
      const { code, stderr } = await world.cliWith(value, 'secrets', 'set', ...words, '-p', 'apart')
      return `${code} ${stderr}`
    }
    const production = ['--scope', 'web', '--environment', 'production']
    const staging = ['--scope', 'web', '--environment', 'staging']
    const none = expect.stringMatching(/^0 $/) as string
    await set('one secret', 'PIN', '--scope', 'web', '--yes')
    await set('another secret', 'PIN', ...production, '--yes')
    await set('url of ${PIN}', 'URL', ...production, '--references', '--yes')
    // That of production is another secret of this key.
    expect(await set('a third secret', 'PIN', '--scope', 'web', '--dry-run')).toEqual(none)
    expect(await set('a third secret', 'PIN', '--scope', 'web')).toEqual(none)
    const follows = '0 URL (web, in production) follows it: its value changes with it.\n'
    expect(await set('a third secret', 'PIN', ...production, '--dry-run')).toBe(follows)
    expect(await set('a third secret', 'PIN', ...production)).toBe(follows)
    await set('one secret', 'OTP', '--scope', 'global', '--yes')
    await set('another secret', 'OTP', ...staging, '--yes')
    await set('otp ${OTP}', 'LINK', '--scope', 'web', '--references', '--yes')
    const only = (where: string): string =>
      `0 LINK (web; only ${where}) follows it: its value changes with it.\n`
    expect(await set('a third secret', 'OTP', ...staging)).toBe(only('in staging'))
    expect(await set('a third secret', 'OTP', '--scope', 'global')).toBe(
      only('in no environment and in production'),
    )
    const cut = await set('a text', 'URL', ...production)
    expect(cut.split('\n').slice(1)).toEqual([
      '  stagely secrets set PIN --project apart --scope web --environment production',
      '  stagely secrets set URL --project apart --scope web --environment production --detach',
      '',
    ])
    await world.cliWith(
      JSON.stringify({
        ...head,
        kind: 'StagelySecret',
        metadata: { name: 'copy' },
        spec: {
          projectRef: { name: 'apart' },
          key: 'COPY',
          scope: 'db',
          valueFrom: { secretRef: { name: 'otp.global' } },
        },
      }),
      'apply',
      '-f',
      '-',
    )
    expect(await set('a fourth secret', 'OTP', '--scope', 'global')).toBe(
      '0 COPY (db) and LINK (web; only in no environment and in production) follow it: their values change with it.\n',
    )
  })

  it('are for maintainers and owners, and for nobody else', () => {
    expect([[...mayRead].sort(), [...mayNot].sort()]).toEqual([
      ['maintainer', 'owner'],
      ['auditor', 'deployer', 'developer', 'operator', 'viewer'],
    ])
  })

  it.each(mayRead)('are what is stored for a %s, with a row for each value', async (role) => {
    for (const { args, prints } of ways) {
      const ran = await as(role, args)
      expect(ran, args.join(' ')).toEqual({ code: 0, stdout: prints, stderr: '' })
    }
    const rows = await audit('--by', role, '--action', 'reveal')
    expect(rows.map(({ result }) => result)).toEqual(rows.map(() => 'success'))
    const read = rows.map(({ detail }) => `${String(detail?.['way'])} ${String(detail?.['key'])}`)
    // With what it refers to; as it is written, it is read alone.
    expect(read.sort()).toEqual(
      [
        ...['run PASS', 'run URL', 'export PASS', 'export URL'],
        ...['reveal PASS', 'reveal URL', 'reveal URL'],
      ].sort(),
    )
  })

  it.each(mayNot)('are refused to a %s, who is told why and what would help', async (role) => {
    for (const { args } of ways) {
      const { code, stdout, stderr } = await as(role, args)
      expect([code, stdout], args.join(' ')).toEqual([1, ''])
      expect(stderr).toMatch(
        /Forbidden.* may not get stagelysecrets\/(value|granted) .*roles that may: owner, maintainer/,
      )
      expect(stderr).not.toMatch(/canary|db:\/\//)
    }
    const rows = await audit('--by', role, '--result', 'denied')
    const routes = new Set(rows.map(({ object }) => object.name))
    expect([...routes].sort()).toEqual([
      '/api/v1/projects/:project_id/reveal',
      '/api/v1/projects/:project_id/secrets/:secret_id/reveal',
    ])
    expect(await audit('--by', role, '--action', 'reveal')).toEqual([])
  })

  it('are refused as well to the token of a maintainer that may only read', async () => {
    const args = ['token', 'create', 'narrow', '--user', 'maintainer', '--role', 'viewer']
    tokens.set('maintainer', (await world.must(...args)).trim())
    const ran = await as('maintainer', ways[0]!.args)
    expect([ran.code, ran.stdout, ran.stderr.includes('canary')]).toEqual([1, '', false])
  })

  it('go to no argument list, no log and no audit row', async () => {
    tokens.set('owner', (await world.must('token', 'create', 'again', '--user', 'owner')).trim())
    // The process that started it, and the command itself, as everybody on the machine sees them.
    const script = 'cat /proc/$PPID/cmdline /proc/$$/cmdline; test -n "$URL" && echo has it'
    const args = ['run', '-p', 'shop', '--', 'sh', '-c', script]
    const ran = await as('owner', args, runCliProcess)
    expect([ran.code, ran.stderr]).toEqual([0, ''])
    expect(ran.stdout).toMatch(/main\.js\0run\0[^]*has it\n$/)
    expect(ran.stdout).not.toContain('canary')
    const log = await world.must('admin', 'audit', 'export')
    expect(log).toContain('"way":"run"')
    expect(log).not.toMatch(/canary|db:\/\//)
    expect(world.allOutput()).not.toMatch(/canary|db:\/\//)
  })

  it('shows plain values in wide tables and differences, and asks for one that looks like a secret', async () => {
    const set = (value: string, ...more: string[]): Promise<Ran> =>
      world.cliWith(value, 'secrets', 'set', 'LOG_LEVEL', '-p', 'shop', ...more)
    expect((await set('debug', '--plain')).stdout).toContain('created')
    const wide = (): Promise<string> => world.must('secrets', 'list', '-p', 'shop', '-o', 'wide')
    expect(await wide()).toMatch(/LOG_LEVEL .* debug /)
    // A masked value is readable nowhere that a plain one is, whoever asks.
    const places = [
      ['get', 'secrets', '-o', 'yaml'],
      ['get', 'secrets', '-o', 'wide'],
      ['secrets', 'list', '-p', 'shop', '-o', 'json'],
      ['describe', 'secret', 'log-level.global'],
      ['secrets', 'diff', '-p', 'shop', '--from', '0'],
      ['secrets', 'diff', '-p', 'shop', '--from', '0', '-o', 'json'],
      ['secrets', 'history', 'LOG_LEVEL', '-p', 'shop'],
    ]
    const plainRead = new Set<TeamRole>()
    for (const role of teamRoles)
      for (const place of places) {
        const ran = await as(role, place)
        expect(ran.stdout + ran.stderr, `${role} ${place.join(' ')}`).not.toContain('canary')
        if (ran.code === 0) expect(ran.stdout, `${role} ${place.join(' ')}`).toContain('debug')
        if (ran.code === 0) plainRead.add(role)
      }
    expect(plainRead.size).toBeGreaterThan(mayRead.length)
    const yaml = await world.must('get', 'secret', 'log-level.global', '-o', 'yaml')
    const manifest = yaml.split('status:')[0]!.replace('spec:', 'spec:\n  value: info')
    const changed = await world.cliWith(manifest, 'diff', '-f', '-')
    expect(changed.stdout).toContain('value changes: "debug" -> "info"')
    const token = await set('ghp_0123456789012345678901234567890123')
    expect([token.code, token.stderr]).toEqual([
      2,
      expect.stringContaining('The value of LOG_LEVEL looks like a secret'),
    ])
    await set('info')
    const history = await world.must('secrets', 'history', 'LOG_LEVEL', '-p', 'shop')
    expect(history).toMatch(/VALUE\n2 .*"info"\n1 .*"debug"\n$/)
    const dotenv = await world.cliWith(
      'LOG_LEVEL=warn\n',
      ...['secrets', 'import', '-', '-p', 'shop', '--dry-run'],
    )
    expect(dotenv.stdout).toContain('~ LOG_LEVEL (global)  changes: "info" -> "warn"')
    await set('debug')
    expect((await set('debug', '--no-plain')).stdout).toContain('configured')
    expect(await wide()).not.toMatch(/LOG_LEVEL .* debug /)
    const due = await world.must('get', 'secret', 'log-level.global', '-o', 'yaml')
    expect(due).toContain('plainUntil')
    expect(due).not.toContain('value: ')
    for (const place of [
      ['history', 'LOG_LEVEL'],
      ['diff', '--from', '0'],
    ])
      expect(await world.must('secrets', ...place, '-p', 'shop')).not.toMatch(/debug|info|VALUE/)
    await world.must('secrets', 'delete', 'LOG_LEVEL', '-p', 'shop', '--yes')
  })

  it('leaves out of a .env what looks like no secret, and takes it as plain where all is asked for', async () => {
    const text = 'LEVEL=debug\nKEEP_TOKEN=canary-token\nLINK=x?key=canary-token\n'
    const plan = async (given: string, ...more: string[]): Promise<string> => {
      const args = ['secrets', 'import', '-', '-p', 'shop', '--dry-run', ...more]
      const ran = await world.cliWith(given, ...args)
      return `${ran.code} ${ran.stdout}${ran.stderr}`
    }
    const left = await plan(text)
    expect(left).toContain('left out, since they look like no secret and need none: LEVEL. --all')
    expect(left).toMatch(/^0 \+ KEEP_TOKEN \(global\)$/m)
    expect(left).toMatch(/^\+ LINK \(global\)$/m)
    const all = await plan(text, '--all')
    expect(all).toMatch(/\+ LEVEL \(global\): "debug"$/m)
    expect(await plan(text, '--all', '--no-plain')).toMatch(/\+ LEVEL \(global\)$/m)
    expect(left + all).not.toContain('canary')
    const none = await plan('LEVEL=debug\n')
    expect(none).toMatch(/^1 .*"--all" takes its lines/s)
    // A file that says more than keys and values is taken as it is.
    expect(await plan('{"LEVEL": "debug"}', '--format', 'json')).toMatch(/\+ LEVEL \(global\)$/m)
  })

  it('are asked for where a policy guards them, and decided on, ended and reported by other commands', async () => {
    const head = 'apiVersion: stagely.dev/v1alpha1\n'
    const applied = await world.apply(
      `${head}kind: Project\nmetadata: {name: vault}\nspec: {}\n` +
        `---\n${head}kind: StagelySecret\nmetadata: {name: db}\nspec: {projectRef: {name: vault}, key: DB, scope: web, value: canary-guarded}\n` +
        `---\n${head}kind: AccessPolicy\nmetadata: {name: vault}\nspec: {projects: [vault], breakGlass: {users: [developer]}}\n`,
    )
    expect(applied.code, applied.stderr).toBe(0)
    expect(applied.stderr).toContain('no Notifier tells of an emergency in vault')
    const by = async (role: TeamRole, ...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await as(role, args)
      expect(code, `${args.join(' ')}: ${stderr}`).toBe(0)
      return stdout
    }
    const get = ['secrets', 'get', 'DB', '-p', 'vault', '--scope', 'web', '--reveal']
    const refused = await as('developer', get)
    expect([refused.code, refused.stdout]).toEqual([1, ''])
    expect(refused.stderr).toContain('stagely access request DB --scope web -p vault')
    const asked = await as('developer', [...get, '--reason', 'INC-1: look'])
    expect([asked.code, asked.stdout]).toEqual([1, ''])
    const [first = ''] = /req-\w+/.exec(asked.stderr) ?? []
    expect(asked.stderr).toContain(`${first} waits for an approval`)
    expect(await by('owner', 'access', 'deny', first, '--note', 'say more')).toBe(
      `${first} is Denied: denied by owner: say more\n`,
    )

    const waiting = as('developer', [...get, '--reason', 'INC-2: refunds fail', '--wait'])
    const pending = (): Promise<string> =>
      by('owner', 'access', 'list', '-p', 'vault', '--state', 'Pending', '-o', 'name')
    const shown = await passes(async () => {
      const found = await pending()
      return found !== '' && found
    })
    const name = shown.trim().replace('accessrequest/', '')
    expect(await by('owner', 'access', 'show', name)).toMatch(
      /Reason: +INC-2: refunds fail\n[^]*\n {2}DB \(web\), version 1: no service; read before by nobody\n/,
    )
    expect(await by('owner', 'access', 'approve', name)).toContain(`${name} is Approved`)
    const read = await waiting
    expect([read.code, read.stdout]).toEqual([0, 'canary-guarded'])
    expect(read.stderr).toContain(`${name} is Approved`)
    expect(await by('developer', 'access', 'list')).toMatch(
      new RegExp(`^${name} +vault +Active +developer +\\S+Z +1/1 +INC-2: refunds fail$`, 'm'),
    )
    expect(await by('developer', 'access', 'revoke', name)).toContain(`${name} is Revoked`)
    expect((await as('developer', get)).code).toBe(1)
    const third = await by('developer', 'access', 'request', '-p', 'vault', '--reason', 'INC-3')
    const [open = ''] = /req-\w+/.exec(third) ?? []
    expect(await by('developer', 'access', 'cancel', open)).toContain(`${open} is Cancelled`)

    const glass = ['access', 'break-glass', '-p', 'vault', '--reason', 'INC-4: down']
    expect((await as('developer', glass)).code).not.toBe(0)
    const broken = await by('developer', ...glass, '--yes')
    const [emergency = ''] = /req-\w+/.exec(broken) ?? []
    expect(broken).toMatch(/^req-\w+ is active until \S+Z\n$/)
    expect(await by('developer', ...get)).toBe('canary-guarded')
    expect(
      await by('auditor', 'access', 'review', emergency, '--outcome', 'Misuse', '--note', 'no'),
    ).toContain(`${emergency} is Active`)

    const report = (...args: string[]): Promise<string> =>
      by('auditor', 'access', 'report', '-p', 'vault', ...args)
    const csv = await report('--since', '1h', '-o', 'csv')
    expect(csv).toContain('"INC-2: refunds fail"')
    const verified = (text: string): Promise<Ran> => world.cliWith(text, 'report', 'verify', '-')
    const words = (await verified(csv)).stdout
    expect(words).toContain(`${name}: developer for vault; Revoked; approved by owner;`)
    expect(words).toContain(`${emergency}: emergency of developer for vault;`)
    expect(await verified(csv.replace('INC-2: refunds', 'INC-2: refunda'))).toMatchObject({
      code: 1,
      stderr: 'The report does NOT hold: its rows are not those that were signed.\n',
    })
    const json = await report('-o', 'json')
    expect((await verified(json.replace('"INC-4: down"', '"INC-4: fine"'))).code).toBe(1)
    const today = new Date().toISOString().slice(0, 10)
    expect(await report('--at', today)).toContain('Policy vault of vault; from')
    expect(await report('--at', '2020-01-01')).toContain('Nobody could read without a request.')
    const emergencies = await report('--emergency')
    expect(emergencies).toContain(`review Misuse by auditor at ${today}`)
    expect(emergencies).not.toContain('INC-2')
    expect(csv + json + words).not.toContain('canary')
  })
})
