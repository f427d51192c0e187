// The commands of the documents that need a controller alone, as they are written.
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { parseConfig } from '../../../controller/config.ts'
import { loginHint } from '../../../controller/files-for-people.ts'
import { parseEnvFile } from '../../../controller/service/unit.ts'
import { startController } from '../../../controller/wire.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { firstClosed } from '../../../src/systemd/command-line.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import { runPage } from '../../support/page-commands.ts'
import { runCli } from '../../support/programs/cli.ts'
import { startCommandWorld, type CommandWorld } from '../../support/programs/command-world.ts'

const head = 'apiVersion: stagely.dev/v1alpha1'
/** Of every controller that a test starts here. */
const masterKey = Buffer.alloc(32, 9).toString('base64')
const example = 'https://stagely.example.com:8443'

let world: CommandWorld
let folder: string

const file = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text)

const inTeam = (team: string, text: string): string =>
  text.replace('NAME', `namespace: ${team}, name`)

/** Objects of a namespace of the page's own. */
const apply = async (team: string, ...objects: string[]): Promise<void> => {
  const texts = objects.map((text) => `${head}\n${inTeam(team, text)}\n`)
  const namespace = `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${team}}\n`
  const ran = await world.apply([namespace, ...texts].join('---\n'))
  expect(ran.code, ran.stderr).toBe(0)
}
const project = 'kind: Project\nmetadata: {NAME: shop}'
const agent = (name: string): string => `kind: Agent\nmetadata: {NAME: ${name}}`
const stagelet =
  'kind: Stagelet\nmetadata: {NAME: shop}\nspec: {projectRef: {name: shop}, agentRef: {name: web-1}, compose: {directory: /srv/day}}'

const within = (team: string): NodeJS.ProcessEnv => ({
  ...world.env(),
  STAGELY_NAMESPACE: team,
})

beforeAll(async () => {
  world = await startCommandWorld()
})
afterAll(() => world?.stop())

beforeEach(async () => {
  folder = await mkdtemp(join(world.dir, 'page-'))
})

/** Files of a page that say their names. */
const writeFiles = async (page: string): Promise<void> => {
  const text = await readFile(join(import.meta.dirname, '../../../docs', page), 'utf8')
  for (const [, block = ''] of text.matchAll(/```yaml\n([^`]*)```/g)) {
    const name = /^# (\S+)/.exec(block)?.[1]
    if (name !== undefined) await file(name, block)
  }
}

it('environments.md', async () => {
  await writeFiles('environments.md')
  await apply('tour', agent('web-1'), agent('web-2'))
  const env = within('tour')
  let count = 0
  await runPage('environments.md', {
    folder,
    env,
    // No machine answers here.
    names: {
      '/srv/shop': folder,
      '--team default': '--team tour',
      'preview up pr-42': 'preview up --no-wait pr-42',
      'preview down': 'preview down --no-wait',
    },
    codes: { 'secrets diff': 1, OTHER_KEY: 1 },
    before: async () => {
      await file('.env', `DB_PASSWORD=password-of-${count++}\n`)
      await rm(join(folder, 'stagely.yaml'), { force: true })
    },
    after: (block, stdout) => {
      if (block.startsWith('stagely token create')) env['STAGELY_TOKEN'] = stdout.trim()
      if (block.includes('--json')) expect(stdout).toContain('"stagelet": "shop-pr-42"')
    },
  })
})

it('day-two.md', async () => {
  await apply('day', project, agent('web-1'), stagelet)
  await file(
    'shop.yaml',
    [project, stagelet].map((text) => `${head}\n${inTeam('day', text)}\n`).join('---\n'),
  )
  await runPage('day-two.md', {
    folder,
    env: within('day'),
    names: { 'team add default': 'team add day', '--team default': '--team day' },
  })
})

it('adopting.md', async () => {
  await apply('adopt')
  folder = join(folder, 'shop')
  await mkdir(join(folder, 'secrets'), { recursive: true })
  const backend =
    '{image: busybox, environment: {DATABASE_URL: "postgres://app:${DB_PASSWORD}@db/shop"}}'
  const db = '{image: busybox, environment: {POSTGRES_PASSWORD: "${DB_PASSWORD}"}}'
  await file('compose.yaml', `services: {backend: ${backend}, db: ${db}}\n`)
  await file('.env', 'DB_PASSWORD=adopted-value-1\n')
  await file('secrets.json', '{"FROM_JSON": "a value"}')
  await file('secrets/smtp.txt', 'a password\n')
  await runPage('adopting.md', {
    folder,
    env: within('adopt'),
    names: {
      '/srv/shop': folder,
      'stagely init': 'stagely init --yes',
      'sudo stagely agent install': 'stagely agent install --dry-run',
      'import .env': 'import .env --yes',
    },
  })
})

it('compliance.md', async () => {
  await apply('cards', project.replace('shop', 'cards'))
  await world.must('admin', 'user', 'create', 'alice')
  const today = new Date().toISOString().slice(0, 10)
  await runPage('compliance.md', {
    folder,
    env: within('cards'),
    names: { '2026-01-01': today },
  })
})

/** In a folder that is closed to others, the command asks for a user who may read the program, as it says itself. */
const asUser = (): string => ` --user ${userInfo().username}`

const asWhom = async (): Promise<string> => {
  const programs = [process.execPath, join(import.meta.dirname, '../../../dist/cli/main.js')]
  const closed = await Promise.all(programs.map((path) => firstClosed(path)))
  return closed.some((path) => path !== undefined) ? asUser() : ''
}

it('server.md', async () => {
  const systemd = join(folder, 'bin/systemctl')
  await mkdir(join(folder, 'bin'))
  await writeFile(systemd, '#!/bin/sh\n', { mode: 0o755 })
  for (const path of [world.dir, folder]) await chmod(path, 0o755)
  for (const name of ['stagely.crt', 'stagely.key']) await file(name, 'PEM')
  const env = within('default')
  await runPage('server.md', {
    folder,
    env,
    names: {
      // No machine with systemd is here.
      'controller install': `controller install --dry-run${await asWhom()}`,
      'ssh root@web-1 stagely agent install': 'stagely agent install --dry-run',
      '/etc/stagely/tls': folder,
      '/etc/stagely/controller.env': join(folder, 'controller.env'),
      'systemctl restart': 'true',
      ' ann': ' bea',
      // The token of the test is of that user.
      'user update admin --disabled': 'user update admin --admin',
    },
  })
  const variables = parseEnvFile(await readFile(join(folder, 'controller.env'), 'utf8'))
  expect(parseConfig(['--data-dir', '/d'], variables).keptBackups).toBe(14)
})

it('operations.md', async () => {
  await runPage('operations.md', {
    folder,
    env: within('default'),
    names: {
      // No package is here: scripts/release/tests/upgrade.sh has one.
      'apt install ./stagely_*.deb': '',
      'systemctl restart stagely-controller stagely-agent': '',
    },
  })
})

it('dead-machine.md', async () => {
  await apply('dead', project, agent('web-1'), stagelet)
  await world.must('admin', 'backup', '--to', join(folder, 'stagely.backup'))
  const database = await freshDatabase()
  const restored = join(folder, 'restored')
  const env = { DATABASE_URL: database.url, STAGELY_SECRET_KEY: masterKey }
  const units = `--unit-dir ${folder} --environment-file ${join(folder, 'restored.env')}`
  let installed = ''
  await runPage('dead-machine.md', {
    folder,
    env: { ...within('dead'), ...env },
    names: {
      '/var/lib/stagely': restored,
      'controller install': `controller install ${units} --data-dir ${restored}${asUser()} 2>&1`,
      '--data-dir DIR': `--data-dir ${restored}`,
      '--force\n': '--force --yes\n',
      'agent revoke': 'agent revoke --yes',
      'ssh root@web-1 stagely agent install': 'stagely agent install --dry-run',
      'stagely delete': 'stagely delete --yes',
    },
    after: (block, stdout) => {
      if (block.includes('controller install')) installed = stdout
    },
  })
  expect(installed).toContain('after a restore it writes no token: log in with a token that')
  const variables = parseEnvFile(await readFile(join(folder, 'restored.env'), 'utf8'))
  expect(variables).toEqual(env)
  // What the service starts, with what the install has noted: a token of before lets in, and no other one is there.
  const argv = ['--data-dir', restored, '--listen', '127.0.0.1:0']
  const controller = await startController(parseConfig(argv, variables), silentLogger, realClock)
  const ran = await runCli(['get', 'projects'], {
    ...within('dead'),
    STAGELY_SERVER: controller.url,
    STAGELY_CA_FILE: join(restored, 'ca.crt'),
  })
  expect([ran.code, ran.stdout], ran.stderr).toEqual([0, expect.stringContaining('shop')])
  expect(await readdir(restored)).not.toContain('admin-token')
  expect(loginHint(controller.url, { dataDir: restored, agentTrust: 'own' }, { isRunning: true })).toMatch(/^then log in with a token that its database knows; .*break-glass/) // prettier-ignore
  await controller.stop()
  await database.drop()
})

it('cli.md', async () => {
  await apply('team-a', project)
  await file('url.txt', 'postgres://app:a-password@db/app')
  await file('admin-token', world.env()['STAGELY_TOKEN'] ?? '')
  await file('ca.crt', await readFile(world.env()['STAGELY_CA_FILE'] ?? '', 'utf8'))
  const env: NodeJS.ProcessEnv = {}
  await runPage('cli.md', {
    folder,
    env,
    names: { [example]: world.url },
    after: (block) => {
      if (block.includes('logout')) Object.assign(env, world.env())
    },
  })
})

it('api.md', async () => {
  await apply('api', project)
  await file('ca.crt', await readFile(world.env()['STAGELY_CA_FILE'] ?? '', 'utf8'))
  await runPage('api.md', {
    folder,
    env: within('api'),
    names: {
      'projects/default%2Fshop': 'projects/api%2Fshop',
      'namespaces/default/': 'namespaces/api/',
    },
  })
})

it('security-model.md', async () => {
  const secret =
    'kind: StagelySecret\nmetadata: {NAME: stripe}\nspec: {projectRef: {name: shop}, key: STRIPE_SECRET_KEY, scope: backend, value: a-guarded-value}'
  const policy =
    'kind: AccessPolicy\nmetadata: {NAME: production}\nspec: {projects: [shop], breakGlass: {users: [dev]}}'
  await apply('guard', project, secret, policy)
  const env = within('guard')
  for (const [name, role] of [
    ['dev', 'developer'],
    ['olga', 'owner'],
  ] as const) {
    await world.must('admin', 'user', 'create', name)
    await world.must('admin', 'team', 'add', 'guard', name, '--role', role)
    env[name] = (await world.must('token', 'create', 'page', '--user', name)).trim()
  }
  const asking = 'STAGELY_TOKEN=$dev stagely access'
  const deciding = 'STAGELY_TOKEN=$olga stagely access'
  await runPage('security-model.md', {
    folder,
    env,
    names: {
      // Nobody approves while this shell waits.
      'stagely access request': `${asking} request >asked`,
      ' --wait': '',
      'stagely access approve req-x8k2p': `${deciding} approve $(cut -d: -f1 asked)`,
      'stagely access break-glass': `${asking} break-glass --yes >opened`,
      'stagely access review req-x8k2p': `${deciding} review $(cut -d' ' -f1 opened)`,
    },
  })
})
