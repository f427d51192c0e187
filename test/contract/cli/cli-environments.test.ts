// Environments by the built command against a real controller: which secret is meant, who has which key, and what a
// file of secrets keeps.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Ran } from '../../support/programs/cli.ts'
import { startCommandWorld, type CommandWorld } from '../../support/programs/command-world.ts'

let world: CommandWorld
let dir: string

const environments = '{name: production}, {name: preview, inherits: Nothing}, {name: staging}'

const file = async (name: string, text: string): Promise<string> => {
  await writeFile(join(dir, name), text)
  return join(dir, name)
}

const secrets = (...args: string[]): Promise<Ran> => world.cli('secrets', ...args, '-p', 'shop')
const setting = (value: string, ...args: string[]): Promise<Ran> =>
  world.cliWith(value, 'secrets', 'set', ...args, '-p', 'shop')

describe('environments of the command line', () => {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'stagely-cli-environments-'))
    world = await startCommandWorld()
    const head = 'apiVersion: stagely.dev/v1alpha1'
    await world.apply(
      `${head}\nkind: Project\nmetadata: {name: shop}\nspec: {environments: [${environments}]}\n`,
    )
  })
  afterAll(async () => {
    await world.stop()
    await rm(dir, { recursive: true, force: true })
  })

  it('name a secret of their own, by exactly their list in any order', async () => {
    const made = await setting('live-canary', 'STRIPE', '--environment', 'staging,production')
    expect(made.stdout).toBe('stagelysecret.stagely.dev/stripe.global.production.staging created\n')
    const other = await setting('test-canary', 'STRIPE', '--environment', 'preview')
    expect(other).toMatchObject({
      code: 0,
      stdout: 'stagelysecret.stagely.dev/stripe.global.preview created\n',
    })
    const shown = await secrets('get', 'STRIPE', '--environment', 'production,staging', '--reveal')
    expect(shown).toMatchObject({ code: 0, stdout: 'live-canary' })
    const again = await setting('live-canary-2', 'STRIPE', '--environment', 'production,staging')
    expect(again.stdout).toContain('production.staging configured')
    const history = await secrets('history', 'STRIPE', '--environment', 'staging,production')
    expect(history.stdout.split('\n')).toHaveLength(4)
  })

  it('refuses a list that shares a name with that of another secret, with both ways out', async () => {
    const shared =
      'error: secret stripe.global.production.staging is STRIPE of scope global in production and staging. ' +
      'To change that one: --environment production,staging. ' +
      'For another value in staging: first take staging out of its spec.environments\n'
    for (const [verb, ...more] of [['get'], ['history'], ['rotate'], ['delete', '--yes']])
      expect(await secrets(verb!, 'STRIPE', '--environment', 'staging', ...more)).toMatchObject({
        code: 1,
        stderr: shared,
      })
    const set = await setting('x', 'STRIPE', '--environment', 'staging,preview', '--scope', 'web')
    expect(set.code).toBe(0)
    const globally = await setting('x', 'STRIPE', '--environment', 'staging')
    expect(globally).toMatchObject({ code: 1, stderr: shared })
    expect(await secrets('generate', 'STRIPE', '--environment', 'staging')).toMatchObject({
      stderr: shared,
    })
    await secrets('purge', 'STRIPE', '--environment', 'staging,preview', '-s', 'web', '--yes')
  })

  it('refuses what cannot be meant, and names what there is', async () => {
    const both = await secrets('get', 'STRIPE', '--environment', 'preview', '--stagelet', 'web')
    expect(both).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('not for both') as string,
    })
    const unlisted = await setting('x', 'OTHER', '--environment', 'prodction')
    expect(unlisted).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('did you mean "production"?') as string,
    })
    const listed = await secrets('list', '--environment', 'prodction')
    expect([listed.code, listed.stdout, listed.stderr]).toEqual([
      2,
      '',
      'error: no environment is named prodction: there are preview, production, staging\n',
    ])
    const run = await world.cli('run', '--environment', 'prewiew', '-p', 'shop', '--', 'true')
    expect(run.stderr).toContain('did you mean "preview"?')
    const unsaid = await secrets('get', 'STRIPE')
    expect(unsaid.stderr).toContain(
      'say which one is meant: --scope global --environment preview or --scope global --environment production,staging',
    )
  })

  it('asks before a key that was kept to some goes to all, also where the scope is named', async () => {
    for (const scope of [[], ['--scope', 'global']]) {
      const ran = await setting('wide-canary', 'STRIPE', ...scope)
      expect(ran.code).toBe(2)
      expect(ran.stderr).toContain('STRIPE was kept to all services in preview')
      expect(ran.stderr).toContain('--environment NAME')
      expect(ran.stderr).toContain('--yes')
    }
  })

  it('shows who has which key where, and what two environments have of each', async () => {
    await setting('all-canary', 'LEVEL')
    await setting('live-canary', 'LEVEL', '--environment', 'production', '--scope', 'web')
    await setting('same-canary', 'SAME', '--environment', 'production')
    await setting('same-canary', 'SAME', '--environment', 'preview')
    const grid = await secrets('list')
    expect(grid.stdout).toBe(
      [
        'KEY      SCOPE    PRODUCTION   PREVIEW   STAGING',
        'LEVEL    global   inherited    none      inherited',
        'LEVEL    web      own          none      inherited',
        'SAME     global   own          own       none',
        'STRIPE   global   own          own       own',
        '',
      ].join('\n'),
    )
    const compared = await secrets('compare', 'production', 'preview')
    expect(compared).toMatchObject({
      code: 1,
      stdout: [
        'KEY      SCOPE    PRODUCTION   PREVIEW   VALUES',
        'LEVEL    global   inherited    none      only in production',
        'LEVEL    web      own          none      only in production',
        'SAME     global   own          own       equal',
        'STRIPE   global   own          own       different',
        '',
      ].join('\n'),
    })
    const told = await secrets('compare', 'production', 'staging', '-o', 'json')
    expect(JSON.parse(told.stdout)).toMatchObject({
      here: 'production',
      there: 'staging',
      keys: [
        { key: 'LEVEL', scope: 'global', verdict: 'Equal' },
        { key: 'LEVEL', scope: 'web', verdict: 'Different', here: { from: 'Own' } },
        { key: 'SAME', verdict: 'OnlyHere', here: { secret: 'same.global.production' } },
        { key: 'STRIPE', verdict: 'Equal' },
      ],
    })
    expect(told.stdout + compared.stdout).not.toContain('canary')
    const listed = await secrets('list', '--environment', 'preview', '-o', 'name')
    expect(listed.stdout.trim().split('\n')).toHaveLength(2)
  })

  it('keeps the lists in a file that is exported and imported', async () => {
    const exported = await secrets('export', '--environment', 'preview', '--format', 'json')
    const path = await file('all.json', exported.stdout)
    const { secrets: lines } = JSON.parse(exported.stdout) as { secrets: object[] }
    expect(lines).toEqual([
      expect.objectContaining({ key: 'SAME', environments: ['preview'] }),
      expect.objectContaining({ key: 'STRIPE', environments: ['preview'], value: 'test-canary' }),
    ])
    const again = await secrets('import', path)
    expect(again.stdout).toContain('= 2 unchanged')
    const one = await secrets('export', '--environment', 'preview', '--service', 'web')
    expect(one.stdout).toBe('SAME=same-canary\nSTRIPE=test-canary\n')
    const env = await file('.env', 'FROM_FILE_KEY=canary\n')
    const imported = await secrets('import', env, '--environment', 'staging', '--yes')
    expect(imported.stdout).toContain('+ FROM_FILE_KEY (global, in staging)')
    const printing = ['--', 'sh', '-c', 'echo $FROM_FILE_KEY-$STRIPE-$LEVEL']
    const ran = await world.cli('run', '-p', 'shop', '--environment', 'staging', ...printing)
    expect(ran.stdout).toBe('canary-live-canary-2-all-canary\n')
  })

  it('finds a deleted secret by its list, restores it, rolls it back and erases it', async () => {
    const production = ['STRIPE', '--environment', 'production,staging']
    const deleted = await secrets('delete', ...production, '--yes')
    expect(deleted.stdout).toContain('stripe.global.production.staging" deleted')
    const restorable = await secrets('restore')
    expect(restorable.stdout).toMatch(/^STRIPE +global +production,staging /m)
    expect(await secrets('restore', 'STRIPE')).toMatchObject({ code: 1 })
    expect(await secrets('restore', ...production)).toMatchObject({
      stdout: 'STRIPE (global, in production and staging) restored, version 3\n',
    })
    const rolled = await secrets('rollback', ...production, '--to-version', '1', '--yes')
    expect(rolled.stdout).toContain('STRIPE is version 4 now')
    expect((await secrets('get', ...production, '--reveal')).stdout).toBe('live-canary')
    const purged = await secrets('purge', ...production, '--yes')
    expect(purged.stdout).toMatch(/^STRIPE \(global, in production and staging\) purged/)
  })

  it('seals for just these environments', async () => {
    const sealed = await world.cliWith(
      'sealed-canary',
      ...['seal', 'SEALED', '-p', 'shop', '--environment', 'staging,preview', '-o', 'yaml'],
    )
    expect(sealed.stdout).toContain('name: sealed.global.preview.staging')
    await world.apply(sealed.stdout)
    const shown = ['SEALED', '--environment', 'staging,preview', '--reveal']
    expect((await secrets('get', ...shown)).stdout).toBe('sealed-canary')
    const elsewhere = sealed.stdout.replace('- preview', '- production')
    const refused = await world.cliWith(elsewhere, 'apply', '-f', '-')
    expect(refused.stderr).toContain('spec.sealedValue')
  })

  it('adopts a stack into one: the project lists it, the stagelet and the secrets are in it', async () => {
    const stack = join(dir, 'stack')
    await mkdir(stack)
    await writeFile(join(stack, '.env'), 'DB_PASSWORD=adopted-canary-1\n')
    await writeFile(
      join(stack, 'compose.yaml'),
      'services: {web: {image: busybox, environment: {DB_PASSWORD: "${DB_PASSWORD}"}}}\n',
    )
    const into = ['-p', 'shop', '--stagelet', 'shop-qa', '--environment', 'qa', '--agent', 'box']
    const ran = await world.cli('init', stack, ...into, '--yes')
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining('Written')])
    expect(await world.read('projects/shop')).toMatchObject({
      spec: {
        environments: [
          { name: 'production' },
          { name: 'preview', inherits: 'Nothing' },
          { name: 'staging' },
          { name: 'qa' },
        ],
      },
    })
    expect(await world.read('stagelets/shop-qa')).toMatchObject({ spec: { environment: 'qa' } })
    const yaml = await readFile(join(stack, 'stagely.yaml'), 'utf8')
    expect(yaml).toMatch(/environments:\n +- qa/)
    const listed = await secrets('list', '--environment', 'qa', '-o', 'name')
    expect(listed.stdout).toContain('db-password')
  })

  it('refuses what another environment has before it is written, and when it is', async () => {
    const head = 'apiVersion: stagely.dev/v1alpha1'
    const rule = '{name: production}, {name: preview, differsFrom: [production], inherits: Nothing}'
    await world.apply(
      `${head}\nkind: Project\nmetadata: {name: apart}\nspec: {environments: [${rule}]}\n`,
    )
    const live = 'canary-of-production'
    const set = (value: string, environment: string): Promise<Ran> =>
      world.cliWith(value, 'secrets', 'set', 'PAY', '-p', 'apart', '--environment', environment)
    expect((await set(live, 'production')).code).toBe(0)
    const refused = await set(live, 'preview')
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain('(PAY) in environment "production"')
    expect(refused.stderr).toContain('allowEqual of environment "preview"')
    const manifest = await file(
      'copied.yaml',
      `${head}\nkind: StagelySecret\nmetadata: {name: copied}\nspec: {projectRef: {name: apart}, key: PAY, environments: [preview], value: ${live}}\n`,
    )
    for (const args of [
      ['diff', '-f', manifest],
      ['apply', '-f', manifest, '--dry-run'],
      ['apply', '-f', manifest],
    ]) {
      const ran = await world.cli(...args)
      expect([args, ran.code]).not.toEqual([args, 0])
      expect(ran.stdout + ran.stderr).toContain('in environment "production"')
      expect(ran.stdout + ran.stderr).not.toContain(live)
    }
  })
})
