// Secrets by the built command against a real controller: files in and out, values never shown.
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, passes } from '../../support/eventually.ts'
import { type Ran } from '../../support/programs/cli.ts'
import { startCommandWorld, type CommandWorld } from '../../support/programs/command-world.ts'

let world: CommandWorld
let dir: string

const words = (ran: Ran): string => ran.stdout + ran.stderr

const file = async (name: string, text: string): Promise<string> => {
  await writeFile(join(dir, name), text)
  return join(dir, name)
}

describe('stagely secrets', () => {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'stagely-cli-secrets-'))
    world = await startCommandWorld()
    const head = (kind: string, name: string): string =>
      `apiVersion: stagely.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`
    await world.apply(`${head('Project', 'shop')}spec: {}\n`)
  })
  afterAll(async () => {
    await world.stop()
    await rm(dir, { recursive: true, force: true })
  })

  const importing = (path: string, ...more: string[]): Promise<Ran> =>
    world.cli('secrets', 'import', path, ...more)

  it('imports a .env file as one revision, after a diff that shows names and no value', async () => {
    const path = await file('.env', 'A=canary-1\nB="canary 2\\n"\n# C=3\nA=canary-3\n')
    const dry = await importing(path, '--scope', 'web', '--no-plain', '--dry-run')
    expect(dry.stdout).toBe('+ A (web)\n+ B (web)\n\nNo running service would be re-created.\n')
    expect(dry.stderr).toContain('line 4: A is set again, and this one counts')
    expect(await world.must('get', 'secrets', '-o', 'name')).toBe('')
    const unasked = await importing(path, '--scope', 'web', '--no-plain')
    expect([unasked.code, unasked.stderr.includes('--yes')]).toEqual([2, true])
    const done = await importing(path, '--scope', 'web', '--no-plain', '--yes')
    expect(done.code).toBe(0)
    expect(words(dry) + words(unasked) + words(done)).not.toContain('canary')
    await eventually(() => world.read('projects/shop')).toMatchObject({
      status: { revision: 1, secrets: 2 },
    })
  })

  it('tells added from changed from unchanged, and writes only what differs', async () => {
    const path = await file('next.json', JSON.stringify({ A: 'canary-3', B: 'other', C: 'new' }))
    const why = ['-m', 'rotate für INC-42']
    const ran = await importing(path, '--scope', 'web', '--yes', '-o', 'json', ...why)
    expect(JSON.parse(ran.stdout)).toMatchObject({
      added: [{ key: 'C', scope: 'web', name: 'c.web' }],
      changed: [{ key: 'B' }],
      unchanged: [{ key: 'A' }],
    })
    const history = await world.cli('rollout', 'history', 'shop')
    expect(history.stdout).toMatch(/NOTE\n\d+ .*rotate für INC-42/)
    const happened = await world.cli('activity', '--project', 'shop', '--since', '1h')
    expect(happened.stdout).toMatch(
      /^TIME +TEAM +OBJECT +BY +MESSAGE\n\S+Z +default +project\/shop +admin +revision \d+: 2 secrets changed: B, C \("rotate für INC-42"\)$/m,
    )
    const none = await world.cli('rollout', 'list', 'shop', '--state', 'Failed')
    expect(none).toEqual({ code: 0, stdout: '', stderr: 'No rollouts yet.\n' })
    const receipt = await world.cli('report', 'receipt', 'shop', '-o', 'json')
    const checked = await world.cliWith(receipt.stdout, 'report', 'verify', '-')
    expect(checked.stdout).toMatch(
      /was made by admin at \S+ "rotate für INC-42"\nIt changed 2 keys: B, C\./,
    )
    const forged = receipt.stdout.replace('INC-42', 'INC-43')
    const refused = await world.cliWith(forged, 'report', 'verify', '-')
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('NOT hold') as string,
    })
    const report = await world.cli('report', 'compliance', '--project', 'shop', '-o', 'json')
    const verifying = (text: string) => world.cliWith(text, 'report', 'verify', '-')
    expect((await verifying(report.stdout)).stdout).toMatch(
      /^Project default\/shop, .*\nRules of now: keys 365d; values of any age\.\n/,
    )
    expect(await verifying(report.stdout.replace('"by": "admin"', '"by": "bdmin"'))).toMatchObject({
      code: 1,
      stderr: 'The report does NOT hold: its text is not what was signed.\n',
    })
    expect(await verifying('{}')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('stagely report KIND -o json') as string,
    })
    const again = await importing(path, '--scope', 'web')
    expect(again.stdout).toBe('= 3 unchanged\n\nNo running service would be re-created.\n')
  })

  it('lets the controller generate a value, and a new one, which nobody sees', async () => {
    const run = (...args: string[]): Promise<Ran> => world.cli('secrets', ...args, '-p', 'shop')
    const digest = async (): Promise<string> => {
      const shown = await world.cli('secrets', 'get', 'PIN', '-p', 'shop', '--reveal')
      expect(shown.stdout).toMatch(/^[0-9]{12}\n?$/)
      return shown.stdout
    }
    expect(await run('generate', 'PIN', '--length', '12', '--charset', 'digits')).toMatchObject({
      code: 0,
      stdout: 'stagelysecret.stagely.dev/pin.global created\n',
    })
    const first = await digest()
    const again = await run('generate', 'PIN')
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('secrets rotate PIN')])
    expect(await run('rotate', 'PIN', '-m', 'INC-7')).toMatchObject({
      code: 0,
      stdout: 'stagelysecret.stagely.dev/pin.global rotated\n',
    })
    const second = await digest()
    expect(second).not.toBe(first)
    expect(await run('rotate', 'PIN')).toMatchObject({ code: 0 })
    expect(await digest()).not.toBe(second)
    expect((await run('rotate', 'NOTHING')).stderr).toContain('no secret NOTHING')
    const both = await run('generate', 'KEYPAIR', '--keypair', 'ed25519', '--length', '9')
    expect([both.code, both.stderr]).toEqual([1, expect.stringContaining('not with keypair')])

    await world.cliWith('canary-by-hand', 'secrets', 'set', 'HAND', '-p', 'shop')
    const alone = ['secrets', 'set', 'AWS_READER', '-p', 'shop', '--audience', 'Controller']
    expect((await world.cliWith('canary-of-aws', ...alone)).stdout).toContain('/aws-reader created')
    const byHand = await run('rotate', 'HAND')
    expect([byHand.code, byHand.stderr]).toEqual([1, expect.stringContaining('set HAND')])
    expect((await run('generate', 'HAND')).stderr).toContain('--replace')
    expect(await run('generate', 'HAND', '--replace')).toMatchObject({ code: 0 })
    const made = await world.cli('secrets', 'get', 'HAND', '-p', 'shop', '--reveal')
    expect(made.stdout).toMatch(/^[A-Za-z0-9]{32}\n?$/)
    for (const key of ['PIN', 'HAND', 'AWS_READER'])
      expect(await run('delete', key, '--yes')).toMatchObject({ code: 0 })
  })

  it('takes scope and type from a list, and reads stdin', async () => {
    const list = [
      { key: 'CERT', scope: 'web', type: 'file', value_base64: '/wA=', file_path: './c.pem' },
      { key: 'A', value: 'x' },
    ]
    const args = ['secrets', 'import', '-', '--format', 'yaml', '--yes']
    const ran = await world.cliWith(JSON.stringify(list), ...args)
    expect(ran.stdout).toContain('+ CERT (web)\n+ A (global)\n')
    const cert = JSON.parse(await world.must('get', 'secret', 'cert.web', '-o', 'json')) as {
      spec: object
      status: { bytes: number }
    }
    expect(cert).toMatchObject({ spec: { type: 'file', file: { path: './c.pem' } } })
    expect(cert.status.bytes).toBe(2)
    const missing = `Error from server (NotFound): stagelysecrets.stagely.dev "gone" not found\n("stagely get stagelysecrets" shows what there is)`
    for (const output of [[], ['-o', 'name']]) {
      const both = await world.cli('get', 'secret', 'gone', 'cert.web', ...output)
      expect([both.code, both.stdout]).toEqual([1, expect.stringContaining('cert.web')])
      expect(both.stderr).toContain(missing)
      const none = await world.cli('get', 'secret', 'gone', 'gone', ...output)
      expect(none.stdout + none.stderr.replaceAll(missing, '')).not.toContain('o')
    }
  })

  it('shows every fault of a file and of the server, without a value, and writes nothing', async () => {
    const local = await importing(await file('bad.env', 'X=ok\nY=canary$nope\nZ="canary'))
    expect([local.code, local.stderr.match(/line \d/g)]).toEqual([1, ['line 2', 'line 3']])
    const path = await file('worse.json', JSON.stringify({ X: 'ok', 'a b': 'canary', N: 'ca\0ry' }))
    const remote = await importing(path, '--yes')
    expect(remote.code).toBe(1)
    expect(remote.stderr).toMatch(/worse.json: a b: a b: key: [^]*worse.json: N: N: value: .*NUL/)
    expect(words(local) + words(remote)).not.toContain('canary')
    expect(await world.must('secrets', 'list', '-o', 'name')).not.toContain('x.global')
  })

  it('keeps the secrets of two projects apart that share key and scope', async () => {
    await world.apply(
      'apiVersion: stagely.dev/v1alpha1\nkind: Project\nmetadata: {name: blog}\nspec: {}\n',
    )
    const path = await file('blog.env', 'A=blog\n')
    const ambiguous = await importing(path, '--yes')
    expect([ambiguous.code, ambiguous.stderr]).toEqual([
      2,
      'error: say which project with --project: blog, shop\n',
    ])
    await importing(path, '--project', 'blog', '--scope', 'web', '--yes')
    expect(await world.must('secrets', 'list', '-p', 'blog', '-o', 'name')).toBe(
      'stagelysecret.stagely.dev/a.web.blog\n',
    )
  })

  it('says which projects there are where the one that is named is none of them', async () => {
    const path = await file('lost.env', 'A=canary-a\nB=canary-b\n')
    const lost = 'error: namespace default has no project shp; there are: blog, shop\n'
    for (const args of [['import', path, '--yes'], ['list'], ['export'], ['history']])
      expect(await world.cli('secrets', ...args, '-p', 'shp'), args.join(' ')).toEqual({
        code: 1,
        stdout: '',
        stderr: lost,
      })
    const restored = await world.cli('secrets', 'restore', '-p', 'shp')
    expect([restored.code, restored.stderr]).toEqual([
      1,
      `${lost}where it was deleted and its secrets are still kept, "stagely secrets restore --all --project shp" brings it back with them; it changes nothing where none is kept\n`,
    ])
    await world.must('admin', 'team', 'create', 'empty')
    const empty = await world.cli('secrets', 'import', path, '-n', 'empty')
    expect([empty.code, empty.stderr.includes('stagely init DIR')]).toEqual([1, true])
  })

  it('leaves out of a .env what steers Compose, unless a service is named or all is asked for', async () => {
    const lines = 'COMPOSE_PROJECT_NAME=shop\nTAG=1.2\nWEB_PORT=8080\nONLY_TOKEN=canary-token\n'
    const path = await file('steers.env', lines)
    const added = async (...more: string[]): Promise<string> => {
      const ran = await importing(path, '-p', 'blog', '--dry-run', ...more)
      expect(ran.code, ran.stderr).toBe(0)
      const keys = [...ran.stdout.matchAll(/^\+ (\S+)/gm)].map(([, key]) => key)
      return `${keys.join()} ${ran.stderr.includes('steers.env: left out, since they steer Compose')}`
    }
    expect(await added()).toBe('ONLY_TOKEN true')
    const all = 'COMPOSE_PROJECT_NAME,TAG,WEB_PORT,ONLY_TOKEN false'
    expect(await added('--all')).toBe(all)
    expect(await added('--scope', 'web')).toBe(all)
  })

  it('lists what is due, nearest first, with who sees it', async () => {
    const secret = (name: string, expiry: string): string =>
      `---\napiVersion: stagely.dev/v1alpha1\nkind: StagelySecret\nmetadata: {name: ${name}}\nspec: {projectRef: {name: shop}, key: ${name.toUpperCase()}, value: abcdefgh, expiry: {after: ${expiry}}}\n`
    await world.apply(secret('later', '20d') + secret('soon', '2d') + secret('far', '50d'))
    const names = async (...args: string[]): Promise<string[]> =>
      (await world.must('secrets', 'due', ...args, '-o', 'name')).trim().split('\n')
    expect(await names('-A')).toEqual(['stagelysecret/soon', 'stagelysecret/later'])
    expect(await names('--within', '60d')).toContain('stagelysecret/far')
    expect(await world.must('secrets', 'due', '--within', '3d')).toMatch(
      /^DUE +WHY +PROJECT +KEY +SCOPE +SEEN BY\n\d{4}-\S+ +expiry +shop +SOON +global +nobody\n$/,
    )
    expect((await world.cli('secrets', 'due', '--within', '90 days')).stderr).toContain('90d')
    await world.must('delete', 'stagelysecret', 'later', 'soon', 'far', '--yes')
  })

  it('deletes by key and scope, never unasked', async () => {
    const args = ['secrets', 'delete', 'C', '-p', 'shop', '--scope', 'web']
    expect((await world.cli(...args)).code).toBe(2)
    expect(await world.must(...args, '--yes')).toBe('stagelysecret.stagely.dev "c.web" deleted\n')
    expect((await world.cli(...args, '--yes')).stderr).toContain('stagely secrets list')
  })

  it('takes no value from the command line, and repeats none', async () => {
    for (const args of [['A=canary'], ['A', '--value', 'canary'], ['A', 'canary']]) {
      const ran = await world.cli('secrets', 'set', ...args, '-p', 'shop')
      expect([ran.code, words(ran).includes('canary')], args.join(' ')).toEqual([2, false])
    }
  })

  it('gives a key to more services only where somebody says so', async () => {
    const args = ['-p', 'shop']
    const set = (...more: string[]): Promise<Ran> =>
      world.cliWith('canary-stripe', 'secrets', 'set', 'STRIPE_KEY', ...args, ...more)
    const manifest = (scope: string): string =>
      `apiVersion: stagely.dev/v1alpha1\nkind: StagelySecret\nmetadata: {name: stripe}\nspec: {projectRef: {name: shop}, key: STRIPE_KEY, value: canary-stripe${scope}}\n`
    expect((await set('--scope', 'api')).code).toBe(0)
    const kept = 'STRIPE_KEY was kept to service api, and would go to all services'
    for (const ran of [
      await set(),
      await world.cli('secrets', 'generate', 'STRIPE_KEY', ...args),
      await world.cliWith(manifest(''), 'apply', '-f', '-'),
    ]) {
      expect([ran.code, ran.stdout]).toEqual([2, ''])
      expect(ran.stderr).toContain(kept)
      expect(ran.stderr).toContain('--yes to go on, or name who is meant: "--scope SERVICE"')
    }
    const dry = await world.cliWith(manifest(''), 'apply', '-f', '-', '--dry-run')
    expect(dry.stdout).toContain(kept)
    const listed = await world.must('secrets', 'list', ...args, '-o', 'name')
    expect(listed.match(/stripe\S*/g)).toEqual(['stripe-key.api'])
    // The scope is named, and what it means is said.
    const said = await world.cliWith(manifest(', scope: global'), 'apply', '-f', '-')
    expect([said.code, said.stderr.includes(kept)]).toEqual([0, true])
    expect(said.stderr).toContain('goes to all services now')
    // From here on it is a secret of all, whose new value widens nothing.
    expect(await set()).toMatchObject({ code: 0, stderr: '' })
    await world.must('secrets', 'delete', 'STRIPE_KEY', ...args, '--scope', 'global', '--yes')
    expect((await set('--yes')).code).toBe(0)
    for (const scope of ['api', 'global'])
      await world.must('secrets', 'delete', 'STRIPE_KEY', ...args, '--scope', scope, '--yes')
  })

  it('owns what it writes by its name, and leaves the owners out of what it shows', async () => {
    expect(
      (await world.cliWith('canary-owned', 'secrets', 'set', 'OWNED', '-p', 'shop')).code,
    ).toBe(0)
    const { metadata } = (await world.read('stagelysecrets/owned.global')) as {
      metadata: { managedFields: { manager: string }[] }
    }
    const managers = metadata.managedFields.map(({ manager }) => manager)
    expect(managers.sort()).toEqual(['stagely', 'stagely-controller'])
    for (const args of [['list'], ['get', 'OWNED']]) {
      const shown = await world.must('secrets', ...args, '-p', 'shop', '-o', 'yaml')
      expect([shown.includes('key: OWNED'), shown.includes('managedFields')]).toEqual([true, false])
    }
    await world.must('secrets', 'delete', 'OWNED', '-p', 'shop', '--yes')
  })

  it('sets a value only over the version that is named', async () => {
    const set = (value: string, expected: number): Promise<Ran> =>
      world.cliWith(
        value,
        ...['secrets', 'set', 'NAMED', '-p', 'shop', '--expect-version', String(expected)],
      )
    const early = await set('canary-early', 1)
    expect([early.code, early.stderr.includes('there is no such secret')]).toEqual([1, true])
    expect((await set('canary-one', 0)).stdout).toContain('created')
    expect((await set('canary-two', 1)).stdout).toContain('configured')
    const late = await set('canary-late', 1)
    expect([late.code, words(late).includes('canary')]).toEqual([1, false])
    expect(late.stderr).toContain('version 1 was expected, version 2 is stored')
    const value = await world.must('secrets', 'get', 'NAMED', '-p', 'shop', '--reveal')
    expect(value).toBe('canary-two')
    await world.must('secrets', 'delete', 'NAMED', '-p', 'shop', '--yes')
  })

  it('shows history, goes back, restores and erases, and shows no value', async () => {
    const words: string[] = []
    const said = async (...args: string[]): Promise<string> => {
      const ran = await world.cli('secrets', ...args, '-p', 'shop')
      expect(ran.code, args.join(' ') + ran.stderr).toBe(0)
      words.push(ran.stdout, ran.stderr)
      return ran.stdout
    }
    const set = (value: string): Promise<Ran> =>
      world.cliWith(value, 'secrets', 'set', 'PAST', '-p', 'shop')
    const before = await passes(async () => {
      const { status } = (await world.read('projects/shop')) as { status?: { revision?: number } }
      return status?.revision !== undefined && String(status.revision)
    })
    await set('canary-one')
    const nothing = await set('\n')
    expect([nothing.code, nothing.stderr.includes('--from-file')]).toEqual([2, true])
    const elsewhere = await world.cli('secrets', 'history', 'PAST', '-p', 'shop', '-s', 'web')
    expect(elsewhere.stderr).toContain('--scope global')
    await set('canary-two')
    expect(await said('history', 'PAST')).toMatch(/VERSION +CURRENT [^]*\n2 +\* [^]*\n1 +/)
    const toFirst = ['rollback', 'PAST', '--to-version', '1']
    const unasked = await world.cli('secrets', ...toFirst, '-p', 'shop')
    expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining('Put version 1')])
    expect(unasked.stderr).not.toContain('--dry-run')
    expect(await said(...toFirst, '--yes')).toBe(
      'PAST is version 3 now, with the value of version 1\n',
    )
    const versions = JSON.parse(await said('history', 'PAST', '-o', 'json')) as object[]
    expect(versions).toMatchObject([{ version: 3, same_as: 1 }, { version: 2 }, { version: 1 }])
    await said('delete', 'PAST', '--yes')
    expect(await said('restore')).toMatch(/KEY +SCOPE [^]*PAST +global/)
    expect(await said('restore', 'PAST')).toBe('PAST (global) restored, version 4\n')
    // Going back closes a revision of its own, so that this is the newest one.
    const back = await said('rollback', '--to-revision', before, '--dry-run')
    expect(back).toContain('- PAST (global)')
    expect(back).toContain('No running service would be re-created.')
    expect(await said('diff', '--from', before)).toContain('+ PAST (global)')
    const done = JSON.parse(
      await said('rollback', '--to-revision', before, '--yes', '-o', 'json', '-m', 'it broke'),
    ) as {
      removed: object[]
    }
    expect(done.removed).toContainEqual(expect.objectContaining({ key: 'PAST' }))
    expect(JSON.parse(await said('diff', '--from', before, '-o', 'json'))).toEqual({
      added: [],
      removed: [],
      changed: [],
    })
    expect(await said('history')).toMatch(/REVISION +CLOSED .* NOTE\n\d+ .*it broke/)
    expect(await said('purge', 'PAST', '--yes')).toContain('4 versions are gone')
    const lost = await world.cli('secrets', 'restore', 'PAST', '-p', 'shop')
    expect([lost.code, lost.stderr.includes('secrets restore')]).toEqual([1, true])
    expect(words.join('')).not.toContain('canary')
  })

  it('seals a manifest offline, with a key that was fetched or made anew', async () => {
    const old = await file('old.pub', await world.must('seal', '--fetch-key'))
    const made = await file('new.pub', await world.must('admin', 'keys', 'rotate', '--sealing'))
    for (const [key, publicKey] of [['OLD', old] as const, ['NEW', made] as const]) {
      const args = ['seal', key, '-p', 'shop', '-o', 'yaml', '--key-file', publicKey]
      const sealed = await world.cliWith('canary-sealed\n', ...args)
      expect([sealed.code, words(sealed).includes('canary')]).toEqual([0, false])
      expect((await world.apply(sealed.stdout)).stdout).toContain('created')
      expect(await world.must('secrets', 'get', key, '-p', 'shop', '--reveal')).toBe(
        'canary-sealed',
      )
      const moved = sealed.stdout.replace('scope: global', 'scope: web')
      const refused = await world.apply(moved)
      expect([refused.code, refused.stderr.includes('stagely seal')]).toEqual([1, true])
    }
    // It says which namespace it is for, not only a name that another may have later.
    const { stdout: bound } = await world.cliWith(
      'canary',
      'seal',
      'ANY',
      '-p',
      'shop',
      '--key-file',
      old,
    )
    expect(bound).toMatch(/^hpke2:/)
    expect(await world.must('seal', 'ANY', '-p', 'shop', '--from-file', old)).toMatch(/^hpke2:/)
    // A copy opens nowhere else: not in another namespace, and not in another project.
    await world.must('admin', 'team', 'create', 'elsewhere')
    const project = (name: string, namespace: string): string =>
      `apiVersion: stagely.dev/v1alpha1\nkind: Project\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {}\n`
    await world.apply(`${project('shop', 'elsewhere')}---\n${project('copy', 'default')}`)
    const seal = (key: string): Promise<Ran> =>
      world.cliWith('canary-sealed\n', 'seal', key, '-p', 'shop', '-o', 'yaml', '--key-file', old)
    const { stdout: manifest } = await seal('LATER')
    for (const [from, to] of [
      [/namespace: default/, 'namespace: elsewhere'],
      [/name: shop/, 'name: copy'],
      [/key: LATER/, 'key: OTHER'],
    ] as const) {
      expect(manifest).toMatch(from)
      const copied = await world.apply(manifest.replace(from, to))
      expect([copied.code, copied.stderr.includes('does not open here')]).toEqual([1, true])
      expect(words(copied)).not.toContain('canary')
    }
    // The key, an old one by now, is in the database: the next controller opens with it.
    await world.restart()
    expect((await world.apply(manifest)).stdout).toContain('created')
    expect(await world.must('secrets', 'get', 'LATER', '-p', 'shop', '--reveal')).toBe(
      'canary-sealed',
    )
    const argv = await world.cli('seal', 'A', 'canary', '-p', 'shop')
    expect([argv.code, words(argv).includes('canary')]).toEqual([2, false])
    const rotated = await world.must('admin', 'audit', 'list', '--action', 'rotate', '-o', 'json')
    expect(rotated).toContain('SealingKey')
  })

  it('adopts a Compose project: loads the values, writes a manifest without them, and is done once', async () => {
    const stack = join(dir, 'stack')
    await mkdir(stack)
    const compose = 'services: {web: {image: x, env_file: .env}, db: {image: y}}\n'
    await writeFile(join(stack, 'compose.yaml'), compose)
    await writeFile(join(stack, '.env'), 'TOKEN=canary-token\nMODE=canary-mode\n')
    const args = ['init', stack, '--all']
    const lost = await world.cli(...args)
    expect([lost.code, lost.stderr.includes('--agent')]).toEqual([2, true])
    const dry = await world.cli(...args, '--agent', 'box', '--dry-run', '--json')
    expect(JSON.parse(dry.stdout)).toMatchObject({
      secrets: [
        { key: 'MODE', scope: 'web', plain: true, from: '.env' },
        { key: 'TOKEN', scope: 'web', from: '.env' },
      ],
      recreated: ['web'],
      untouched: ['db'],
      manifestDiffers: false,
    })
    expect(await readdir(stack)).toEqual(['.env', 'compose.yaml'])
    const done = await world.cli(...args, '--agent', 'box', '--yes')
    expect(done.code).toBe(0)
    const manifest = await readFile(join(stack, 'stagely.yaml'), 'utf8')
    expect(manifest).toContain(`directory: ${await realpath(stack)}`)
    expect(manifest).toMatch(/key: MODE\n[^-]*visibility: Plain/)
    expect(words(lost) + words(dry) + words(done) + manifest).not.toContain('canary')
    expect(await readFile(join(stack, 'compose.yaml'), 'utf8')).toBe(compose)
    const again = await world.cli(...args, '--agent', 'box')
    expect([again.code, again.stderr.includes('nothing to do')]).toEqual([0, true])
    expect(again.stdout).toContain('\nNo running service would be re-created.\n')
    // What was written is what is there: applying it changes nothing, and keeps the values.
    const applied = await world.must('apply', '-f', join(stack, 'stagely.yaml'))
    expect(applied.match(/ unchanged/g)).toHaveLength(4)
    const folder = await world.cli('apply', '-f', stack)
    expect([folder.code, folder.stdout]).toEqual([0, applied])
    expect(folder.stderr).toContain('compose.yaml is a Compose file: passed over')
    await writeFile(join(stack, '.env'), 'TOKEN=canary-token\nNEW=1\n')
    const more = await world.cli(...args, '--agent', 'box', '--yes')
    expect([more.code, more.stderr.includes('--overwrite')]).toEqual([1, true])
    expect(await world.must(...args, '--agent', 'box', '--yes', '--overwrite')).toContain(
      'stagelysecret.stagely.dev/new.web created',
    )
  })

  it('keeps in a second init what Stagely holds by then: the files have the values of before', async () => {
    const stack = join(dir, 'kept-values')
    await mkdir(stack)
    const compose = 'services: {web: {image: x, env_file: .env}, db: {image: y}}\n'
    await writeFile(join(stack, 'compose.yaml'), compose)
    await writeFile(join(stack, '.env'), 'TOKEN=canary-of-files\nURL=canary-url-of-files\n')
    const args = ['init', stack, '--all', '--agent', 'box', '--yes', '--overwrite']
    await world.must(...args)
    const at = ['-p', 'kept-values', '--scope', 'web']
    const set = await world.cliWith('canary-of-stagely', 'secrets', 'set', 'TOKEN', ...at)
    expect(set.code).toBe(0)
    const ref = { projectRef: { name: 'kept-values' }, scope: 'web', key: 'URL' }
    const more = { visibility: 'Masked', references: true, value: 'canary ${TOKEN}' }
    const head = { apiVersion: 'stagely.dev/v1alpha1', kind: 'StagelySecret' }
    const secret = { ...head, metadata: { name: 'url.web' }, spec: { ...ref, ...more } }
    await world.cliWith(JSON.stringify(secret), 'apply', '-f', '-')
    await writeFile(join(stack, '.env'), 'TOKEN=canary-of-files\nURL=canary-url-of-files\nNEW=1\n')
    const reveal = (key: string): Promise<string> =>
      world.must('secrets', 'get', key, '--reveal', ...at)
    const again = await world.must(...args)
    expect(again).toContain('Stay as Stagely holds them')
    expect(again).toContain('2 of 5 objects to write')
    expect(await reveal('TOKEN')).toContain('canary-of-stagely')
    expect(await reveal('URL')).toContain('canary canary-of-stagely')
    await world.must(...args, '--reload')
    expect(await reveal('TOKEN')).toContain('canary-of-files')
  })

  it('takes another file for variables from where it is started, as Compose does', async () => {
    const [stack, elsewhere] = [join(dir, 'named-env'), join(dir, 'elsewhere')]
    for (const folder of [stack, elsewhere]) await mkdir(folder)
    const compose = 'services: {web: {image: x, environment: {TOKEN: "${TOKEN}"}}}\n'
    await writeFile(join(stack, 'compose.yaml'), compose)
    await writeFile(join(stack, 'prod.env'), 'TOKEN=canary-stack\n')
    await writeFile(join(elsewhere, 'here.env'), 'TOKEN=canary-here\n')
    const run = (...args: string[]): Promise<Ran> =>
      world.cliIn(elsewhere, 'init', stack, '--agent', 'box', '--dry-run', '-o', 'json', ...args)
    const init = async (...args: string[]): Promise<unknown> => {
      const ran = await run(...args)
      expect(ran.code, ran.stderr).toBe(0)
      return (JSON.parse(ran.stdout) as { secrets: unknown }).secrets
    }
    const found = [{ key: 'TOKEN', scope: 'web', from: 'environment: ${TOKEN}' }]
    expect(await init('--env-file', 'prod.env')).toEqual(found)
    expect(await init('--dotenv', 'here.env')).toEqual(found)
    expect(await init('--env-file=../named-env/prod.env')).toEqual(found)
    const lost = await run('--env-file', 'none.env')
    const said = `there is no file none.env, neither here nor in ${await realpath(stack)}`
    expect([lost.code, lost.stderr.includes(said)]).toEqual([1, true])
  })

  it('adopts a project with includes, profiles, ${VAR} and an override of its own', async () => {
    const stack = join(dir, 'large')
    const files = {
      'compose.yaml': `name: large
include: [parts/mail.yaml]
services:
  web:
    image: web:\${TAG:-latest}
    environment: {DATABASE_URL: "postgres://app:\${DB_PASSWORD}@db/app", STRIPE_KEY: }
  db: {image: postgres, env_file: db.env}
  job: {image: job, profiles: [tools], environment: {JOB_TOKEN: "\${JOB_TOKEN}"}}
  cache: {image: redis}
  front: {image: front, depends_on: {web: {condition: service_started, restart: true}}}
`,
      'compose.override.yaml': 'services: {web: {environment: {EXTRA: "${EXTRA}"}}}\n',
      'parts/mail.yaml': 'services: {mail: {image: mail, env_file: mail.env}}\n',
      'parts/mail.env': 'SMTP=canary-smtp\n',
      'db.env': 'POSTGRES_PASSWORD=canary-password\n',
      '.env':
        "DB_PASSWORD=canary-password\nSTRIPE_KEY='canary-$tripe'\nJOB_TOKEN=canary-job\nEXTRA=${STRIPE_KEY}-x\nTAG=canary-tag\n",
    }
    await mkdir(join(stack, 'parts'), { recursive: true })
    for (const [name, text] of Object.entries(files)) await writeFile(join(stack, name), text)
    const args = ['init', stack, '--agent', 'box', '--profile', 'tools', '--all']
    const dry = await world.cli(...args, '--dry-run', '--json')
    const proposal = JSON.parse(dry.stdout) as {
      secrets: { key: string; scope: string }[]
      kept: { key: string }[]
      recreated: string[]
      untouched: string[]
    }
    expect(proposal.secrets.map(({ key, scope }) => `${key} ${scope}`)).toEqual([
      'DATABASE_URL web',
      'EXTRA web',
      'JOB_TOKEN job',
      'POSTGRES_PASSWORD db',
      'SMTP mail',
      'STRIPE_KEY web',
    ])
    expect(proposal.kept.map(({ key }) => key)).toContain('TAG')
    expect(proposal).toMatchObject({
      recreated: ['db', 'job', 'mail', 'web'],
      restarted: ['front'],
      untouched: ['cache'],
    })
    const done = await world.cli(...args, '--yes')
    expect([done.code, done.stderr]).toEqual([0, expect.any(String)])
    const manifest = await readFile(join(stack, 'stagely.yaml'), 'utf8')
    expect(manifest).toMatch(/profiles:\s+- tools/)
    expect(words(dry) + words(done) + manifest).not.toContain('canary')
    const reveal = (key: string, scope: string): Promise<string> =>
      world.must('secrets', 'get', key, '-p', 'large', '--scope', scope, '--reveal')
    expect(await reveal('DATABASE_URL', 'web')).toBe('postgres://app:canary-password@db/app')
    expect(await reveal('EXTRA', 'web')).toBe('canary-$tripe-x')
    expect(await reveal('SMTP', 'mail')).toBe('canary-smtp')
    // A new password is one write, and reaches the text that it is part of.
    expect(manifest.match(/references: true/g)).toHaveLength(1)
    for (const password of ['canary-new', 'canary-password']) {
      const at = ['-p', 'large', '--scope', 'db']
      const set = await world.cliWith(password, 'secrets', 'set', 'POSTGRES_PASSWORD', ...at)
      expect(set.code).toBe(0)
      expect(await reveal('DATABASE_URL', 'web')).toBe(`postgres://app:${password}@db/app`)
    }
    // Nothing of the user's own was touched, and it is done.
    for (const [name, text] of Object.entries(files))
      expect(await readFile(join(stack, name), 'utf8'), name).toBe(text)
    const again = await world.cli(...args)
    expect([again.code, again.stderr.includes('nothing to do')]).toEqual([0, true])
    const stagelet = (await world.read('stagelets/large')) as { spec: { compose: object } }
    expect(stagelet.spec.compose).toMatchObject({
      directory: await realpath(stack),
      profiles: ['tools'],
    })
  })
})
