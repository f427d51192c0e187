// `stagely scan` on a real repository and a real controller: what is found where, in which state, and that no value is in
// any answer or output.
import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Finding } from '../../../cli/scan/findings.ts'
import type { Fingerprints, FoundSecret, Secret } from '../../../src/generated/rest-types.ts'
import { eventually, reaches } from '../../support/eventually.ts'
import { memoryFolder } from '../../support/memory-folder.ts'
import { runPage } from '../../support/page-commands.ts'
import { runCli } from '../../support/programs/cli.ts'
import { startTestController, type TestController } from '../../support/programs/controller.ts'

const run = promisify(execFile)
const strong = 'sk_live_4eC39HqLyjWDarjtT1zdp7dcXw9Zm'
const old = 'whsec_9Yt2mQ4vX7bN1cR8kL5jH3gF6dS0aZ'
/** Without any form, and weak. */
const weak = 'correct horse battery'
const next = 'sk_live_7Zb1QpXc93LmRtYw52KdVfJh08NgAe'
const project = '/api/v1/projects/default%2Fshop'

describe('a scan', () => {
  let controller: TestController
  let dir: string
  let repository: string
  let outputs = ''
  let tokens = 0
  let gitEnv = {}

  const commandEnv = (): NodeJS.ProcessEnv => ({
    HOME: controller.dataDir,
    STAGELY_SERVER: controller.url,
    STAGELY_TOKEN: controller.token,
    STAGELY_CA_FILE: `${controller.dataDir}/ca.crt`,
    ...gitEnv,
  })
  const cli = (...words: string[]): ReturnType<typeof runCli> => cliWith('', ...words)
  const cliWith = async (stdin: string, ...words: string[]): ReturnType<typeof runCli> => {
    const ran = await runCli(words, commandEnv(), stdin, repository)
    outputs += ran.stdout + ran.stderr
    return ran
  }
  const found = async (...words: string[]): Promise<Finding[]> =>
    JSON.parse((await cli('scan', ...words, '-o', 'json')).stdout) as Finding[]
  const placesOf = (findings: readonly Finding[]): string[] =>
    findings.map(({ path, line, key, state }) => `${path}:${line} ${key} ${state}`)
  const git = (...args: string[]): Promise<unknown> =>
    run('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: repository,
    })
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(repository, path)), { recursive: true })
    await writeFile(join(repository, path), text)
  }
  const secret = async (key: string, value: string, method = 'POST'): Promise<void> => {
    const answer =
      method === 'POST'
        ? await controller.call('POST', `${project}/secrets`, {
            body: { key, scope: 'web', value },
          })
        : await controller.call('PATCH', `${project}/secrets/${key.toLowerCase()}.web`, {
            body: { value },
          })
    expect(answer.status, answer.text).toBeLessThan(300)
  }

  const tokenOf = async (role: string, more = {}): Promise<Record<string, string>> => {
    const body = { name: `${role}-${tokens++}`, role, ...more }
    const made = await controller.call('POST', '/api/v1/teams/default/tokens', { body })
    return { authorization: `Bearer ${made.json<{ token: string }>().token}` }
  }

  beforeAll(async () => {
    controller = await startTestController()
    dir = await mkdtemp(join(memoryFolder, 'stagely-scan-'))
    repository = join(dir, 'repository')
    await mkdir(repository)
    await controller.call('POST', '/api/v1/projects', { body: { team: 'default', name: 'shop' } })
    await secret('STRIPE', strong)
    await secret('HOOK', old)
    await secret('HOOK', `${old}-of-now-0Pq7`, 'PATCH')
    await secret('PHRASE', weak)
    await secret('PORT', '8080')
    await git('init', '-q')
    await write('deploy/.env', `PORT=8080\nSTRIPE=${strong}\n`)
    await write(
      'a b/näme.json',
      JSON.stringify({ hook: Buffer.from(`x${old}`).toString('base64') }),
    )
    await write('docs/phrase.md', `# Docs\n\nPHRASE: "${weak}"\n`)
    await write('.gitignore', 'ignored\n')
    await write('ignored/.env', strong)
    await symlink('/', join(repository, 'loop'))
    await git('add', '.')
    await git('commit', '-qm', 'first')
    await git('rm', '-q', 'docs/phrase.md')
    await git('commit', '-qm', 'second')
  })
  afterAll(async () => {
    await controller?.remove()
    await rm(dir, { recursive: true, force: true })
  })

  it('finds current and superseded values of a tree, with file and line, and ends with 1', async () => {
    expect(placesOf(await found())).toEqual([
      'a b/näme.json:1 HOOK superseded',
      'deploy/.env:2 STRIPE current',
    ])
    const text = await cli('scan')
    expect(text.code).toBe(1)
    expect(text.stdout).toMatch(
      /^deploy\/\.env:2 {2}STRIPE \(shop, web\) {2}CURRENT, version 1 → stagely secrets set STRIPE/m,
    )
  })

  it('finds in a range what was deleted since, also a value without any form', async () => {
    const first = await found('--range', 'HEAD')
    expect(placesOf(first)).toContain('docs/phrase.md:3 PHRASE current')
    expect(first[0]!.commit).toMatch(/^[0-9a-f]{40}$/)
    expect(await found('--range', 'HEAD~1..HEAD')).toEqual([])
    expect((await cli('scan', '--range', '--all')).code).toBe(2)
  })

  it('looks at what is staged, and not at the tree; the hook does the same', async () => {
    await write('new.txt', `token ${encodeURIComponent(strong)}\n`)
    expect(await found('--staged')).toEqual([])
    await git('add', 'new.txt')
    await write('new.txt', 'nothing\n')
    expect(placesOf(await found('--staged'))).toEqual(['new.txt:1 STRIPE current'])
    expect((await cli('scan', 'install-hook')).stdout).toContain('hooks/pre-commit')
    const hook = join(repository, '.git/hooks/pre-commit')
    expect(await readFile(hook, 'utf8')).toContain('exec stagely scan --staged')
    await writeFile(hook, '#!/bin/sh\n')
    await chmod(hook, 0o755)
    expect((await cli('scan', 'install-hook')).stderr).toContain('is another hook')
    await git('rm', '-qf', 'new.txt')
  })

  it('reads the files of a Compose project, also those that git ignores', async () => {
    await write('compose.yaml', 'services:\n  web:\n    env_file: [ignored/.env]\n')
    expect(placesOf(await found('--compose'))).toEqual(['ignored/.env:1 STRIPE current'])
  })

  it('is SARIF without a snippet', async () => {
    const { stdout } = await cli('scan', '-o', 'sarif')
    const sarif = JSON.parse(stdout) as { runs: { results: object[] }[] }
    expect(sarif.runs[0]!.results.at(-1)).toMatchObject({
      ruleId: 'current-secret',
      level: 'error',
      partialFingerprints: { 'secret/version': expect.stringMatching(/^sec_.*\/1$/) as string },
    })
    expect(stdout).toContain('a%20b/n%C3%A4me.json')
    expect(stdout).not.toContain('snippet')
  })

  it('ignores by key and path until a day, and tells of entries that are ended or not needed', async () => {
    const entry = (key: string, path: string, until: string): string =>
      `  - { key: ${key}, path: ${path}, reason: it is a test, until: ${until} }\n`
    const all =
      entry('STRIPE', 'deploy/.env', '2999-01-01') +
      entry('HOOK', 'a b/näme.json', '2020-01-01') +
      entry('HOOK', 'nowhere', '2999-01-01')
    await write('.stagely-scan.yaml', `ignores:\n${all}`)
    const ran = await cli('scan', '-o', 'json')
    expect(placesOf(JSON.parse(ran.stdout) as Finding[])).toEqual([
      'a b/näme.json:1 HOOK superseded',
    ])
    expect(ran.stderr).toContain('an entry has ended: HOOK in a b/näme.json')
    expect(ran.stderr).toContain('an entry is not needed: HOOK in nowhere')
    await write('.stagely-scan.yaml', 'ignores:\n  - { key: HOOK, path: x, line: 3 }\n')
    const wrong = await cli('scan')
    expect(wrong.code).toBe(2)
    expect(wrong.stderr).toMatch(/ignores\.0\.reason.*ignores\.0\.until/)
    await rm(join(repository, '.stagely-scan.yaml'))
  })

  it('lets developers ask, audited, and tells nobody of a weak value but its length', async () => {
    const read = (headers: Record<string, string>) =>
      controller.call('GET', `${project}/fingerprints`, { headers })
    for (const role of ['viewer', 'deployer', 'operator'])
      expect((await read(await tokenOf(role))).status).toBe(403)
    const developer = await read(await tokenOf('developer'))
    const { strong: known, weak_lengths: lengths } = developer.json<Fingerprints>()
    expect(known.map(({ key }) => key).sort()).toEqual(['HOOK', 'STRIPE'])
    expect(lengths).toEqual([weak.length, `${old}-of-now-0Pq7`.length].sort((a, b) => a - b))
    const audit = await controller.call('GET', '/api/v1/audit?action=read%20fingerprints')
    expect(audit.json<{ rows: object[] }>().rows.length).toBeGreaterThan(0)
    outputs += developer.text + audit.text
  })

  it('gives whoever may not write in production nothing of its values, also of deleted ones', async () => {
    const environments = [{ name: 'production', protected: true }, { name: 'preview' }]
    const must = async (method: string, path: string, body?: object): Promise<void> => {
      const answer = await controller.call(method, path, body && { body })
      expect(answer.status, answer.text).toBeLessThan(300)
    }
    await must('POST', '/api/v1/projects', { team: 'default', name: 'guarded', environments })
    const at = '/api/v1/projects/default%2Fguarded'
    const put = (key: string, value: string, place: object): Promise<void> =>
      must('POST', `${at}/secrets`, { key, scope: 'web', value, ...place })
    const token = `ghp_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5`
    await put('LIVE', token, { environments: ['production'] })
    await put('GONE', token.replace('aB3', 'bC4'), { environments: ['production'] })
    await put('ALL', token.replace('aB3', 'cD5'), {})
    await put('OWN', token.replace('aB3', 'dE6'), { environments: ['preview'] })
    await put('PHRASE', 'of another length', { environments: ['production'] })
    await must('DELETE', `${at}/secrets/gone.web.production`)
    const seenBy = async (headers?: Record<string, string>) => {
      const path = `${at}/fingerprints`
      const answer = await controller.call('GET', path, headers && { headers })
      const file = answer.json<Fingerprints>()
      return [file.strong.map(({ key }) => key).sort(), file.weak_lengths]
    }
    expect(await seenBy()).toEqual([['ALL', 'GONE', 'LIVE', 'OWN'], [17]])
    expect(await seenBy(await tokenOf('developer'))).toEqual([['OWN'], []])
  })

  const openFindings = async (...words: string[]): Promise<FoundSecret[]> =>
    JSON.parse((await cli('scan', 'findings', '-o', 'json', ...words)).stdout) as FoundSecret[]
  const whereFound = (findings: readonly FoundSecret[]): string[] =>
    findings.map(
      ({ key, version, state, path, line }) => `${key}/${version} ${state} ${path}:${line}`,
    )
  const secretStatus = async (name: string): Promise<Secret> =>
    (await controller.call('GET', `${project}/secrets/${name}`)).json<Secret>()
  const dueOf = async (name: string): Promise<string | undefined> => {
    const { conditions } = await secretStatus(name)
    const due = conditions.find(({ type, status }) => type === 'RotationDue' && status === 'True')
    return due?.reason
  }

  it('tells the controller where, once: the secret is due, and the finding closes with its value', async () => {
    await git('remote', 'add', 'origin', `https://user:${strong}@git.example.com/acme/shop.git`)
    const first = await cli('scan', '--report')
    expect([first.code, first.stderr]).toEqual([
      1,
      expect.stringContaining('reported 1 to the controller, 0 were known'),
    ])
    expect((await cli('scan', '--report')).stderr).toContain(
      'reported 0 to the controller, 1 were known',
    )
    // Nothing ends the old value of a secret without a Rotation: that it is superseded closes a finding.
    const [finding, ...more] = await openFindings()
    expect(more).toEqual([])
    expect(finding).toMatchObject({
      key: 'STRIPE',
      version: 1,
      repository: 'git.example.com/acme/shop',
      path: 'deploy/.env',
      line: 2,
      state: 'open',
    })
    await reaches(() => dueOf('stripe.web'), 'Leaked')
    const { text: events } = await controller.call('GET', `${project}/events`)
    expect(events).toContain('STRIPE: version 1 was found at deploy/.env:2 in git.example.com/acme')
    expect(events).toContain('"LeakFound"')
    outputs += events
    const table = await cli('scan', 'findings')
    expect(table.stdout).toMatch(
      /^\S+ +STRIPE +shop +web +1 +open +git\.example\.com\/acme\/shop +deploy\/\.env:2/m,
    )
    expect((await cli('scan', 'fix', 'no-such')).stderr).toContain('there is no finding no-such')
    const fixed = await cliWith(next, 'scan', 'fix', finding!.id)
    expect(fixed.stdout).toContain('stripe.web configured')
    expect(await openFindings()).toEqual([])
    expect(whereFound(await openFindings('--all'))).toEqual(['STRIPE/1 superseded deploy/.env:2'])
    expect(await dueOf('stripe.web')).toBeUndefined()
    expect((await cli('scan', 'fix', finding!.id)).stderr).toContain(
      'is closed: version 1 is superseded',
    )
    // The value comes back, and with it the finding.
    await controller.call('POST', `${project}/secrets/stripe.web/rollback`, {
      body: { version: 1 },
    })
    expect(whereFound(await openFindings())).toEqual(['STRIPE/1 open deploy/.env:2'])
    await reaches(() => dueOf('stripe.web'), 'Leaked')
  })

  it('starts the Rotation of a finding, which closes when the old credential is revoked; then the scan ends with 0', async () => {
    const rotation = { name: 'signing', output: 'current' }
    const body = { key: 'SIGNING', scope: 'web', value_from: { rotation } }
    await controller.call('POST', `${project}/secrets`, { body })
    const made = await controller.call('POST', `${project}/rotations`, {
      body: {
        name: 'signing',
        outputs: { current: 'signing.web' },
        rotator: { generate: { order: 'SwitchFirst' } },
      },
    })
    expect(made.status, made.text).toBe(201)
    await reaches(async () => (await secretStatus('signing.web')).version, 1)
    const read = await controller.call('POST', `${project}/secrets/signing.web/reveal`, {
      body: {},
    })
    const { value } = read.json<{ value: string }>()
    await write('signing.key', `${value}\n`)
    await git('add', 'signing.key')
    await git('commit', '-qm', 'third')
    await git('rm', '-q', 'signing.key')
    await git('commit', '-qm', 'fourth')
    expect((await cli('scan', '--range', 'HEAD~2..HEAD', '--report')).code).toBe(1)
    const finding = (await openFindings()).find(({ key }) => key === 'SIGNING')!
    expect(finding.commit).toMatch(/^[0-9a-f]{40}$/)
    const fixed = await cli('scan', 'fix', finding.id)
    expect([fixed.code, fixed.stdout]).toEqual([0, expect.stringContaining('signing')])
    const hasty = { body: { without_proof: true, confirm: 'signing' } }
    await controller.call('POST', `${project}/rotations/signing/run`, hasty)
    await eventually(async () => whereFound(await openFindings('--all'))).toContain(
      'SIGNING/1 revoked signing.key:1',
    )
    const after = await cli('scan', '--range', 'HEAD~2..HEAD', '--report')
    expect([after.code, after.stdout]).toEqual([0, expect.stringContaining('REVOKED')])
    expect(outputs).not.toContain(value)
  })

  it('refuses a report without the right, audited, one of no version, and one that tells a value', async () => {
    const { id, version } = await secretStatus('stripe.web')
    const report = (path: string, more = {}) => ({
      repository: 'acme/shop',
      findings: [{ secret_id: id, version, path, line: 1, ...more }],
    })
    const post = (body: object, headers = {}) =>
      controller.call('POST', `${project}/findings`, { body, headers })
    const readOnly = { read_only: true }
    for (const headers of [
      await tokenOf('viewer'),
      await tokenOf('deployer'),
      await tokenOf('developer', readOnly),
    ])
      expect((await post(report('a'), headers)).status).toBe(403)
    await eventually(
      async () => (await controller.call('GET', '/api/v1/audit?action=deny')).text,
    ).toContain('findings')
    const developer = await tokenOf('developer')
    for (const path of [strong, `docs/${weak}`]) {
      const told = await post(report(path), developer)
      expect([told.status, told.text]).toEqual([422, expect.stringContaining('findings.0.path')])
    }
    const wrong = await post(report('a', { version: 99 }), developer)
    expect([wrong.status, wrong.text]).toEqual([422, expect.stringContaining('findings.0.version')])
    expect((await post(report('x'.repeat(2_000)), developer)).status).toBe(422)
    const { findings } = report('a')
    const tooMany = { repository: 'a', findings: Array.from({ length: 1_001 }, () => findings[0]) }
    expect((await post(tooMany, developer)).status).toBe(422)
    const before = (await openFindings()).length
    const many = Array.from({ length: 60 }, (_, i) => ({ ...findings[0]!, path: `file-${i}` }))
    const kept = await post({ repository: 'a', findings: many }, developer)
    expect(kept.json()).toEqual({ reported: 49, known: 0, ended: 0, not_kept: 11 })
    expect((await openFindings()).length).toBe(before + 49)
    const listed = await controller.call('GET', `${project}/findings`, {
      headers: await tokenOf('viewer'),
    })
    outputs += wrong.text + listed.text
  })

  it('finds a value in the name of a file, and does not print it', async () => {
    await write(`keys/${strong}.txt`, 'nothing\n')
    const named = await cli('scan', '--report')
    expect(named.stdout).toContain('(a name that holds a value):1  STRIPE')
    expect(named.stderr).toContain('not reported: 1 in files')
    await rm(join(repository, 'keys'), { recursive: true })
  })

  it('scans names with line breaks and standard input; says what it does not scan, and follows no link or submodule', async () => {
    await write('with\nbreak/a\tb.txt', `X=${strong}\n`)
    await write('binary.bin', `\0\0${strong}\0`)
    const huge = join(repository, 'huge.img')
    await writeFile(huge, '')
    await truncate(huge, 2 * 1024 ** 3)
    const tree = await cli('scan', '-o', 'json')
    const places = placesOf(JSON.parse(tree.stdout) as Finding[])
    expect(places).toContain('with\nbreak/a\tb.txt:1 STRIPE current')
    expect(places).toContain('binary.bin:1 STRIPE current')
    expect(tree.stderr).toContain('not scanned: huge.img is larger than 64 MiB')
    const text = await cli('scan')
    expect(text.stdout).toContain('with\\nbreak/a')
    await rm(huge)
    // A submodule is a repository of its own: it is scanned where it is.
    const { stdout: head } = await run('git', ['rev-parse', 'HEAD'], { cwd: repository })
    await git('update-index', '--add', '--cacheinfo', `160000,${head.trim()},module`)
    expect((await found('--staged')).map(({ path }) => path)).not.toContain('module')
    await git('rm', '-q', '--cached', 'module')
    const given = await cliWith(`log: ${weak}\nx ${strong}\n`, 'scan', '--stdin', '-o', 'json')
    expect([given.code, placesOf(JSON.parse(given.stdout) as Finding[])]).toEqual([
      1,
      ['stdin:1 PHRASE current', 'stdin:2 STRIPE current'],
    ])
    expect([
      (await cliWith('nothing\n', 'scan', '--stdin')).code,
      (await cli('scan', '--staged', '--stdin')).code,
    ]).toEqual([0, 2])
    await rm(join(repository, 'with\nbreak'), { recursive: true })
    await rm(join(repository, 'binary.bin'))
  })

  it('is what docs/scanning.md says', async () => {
    const clean = join(dir, 'clean')
    await mkdir(clean)
    const gitThere = (...args: string[]): Promise<unknown> =>
      run('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: clean })
    await gitThere('init', '-q')
    await gitThere('commit', '-q', '--allow-empty', '-m', 'first')
    await gitThere('update-ref', 'refs/remotes/origin/main', 'HEAD')
    await controller.call('POST', `${project}/secrets`, {
      body: { key: 'MADE', scope: 'web', value_from: { generate: { length: 32 } } },
    })
    const revealed = await controller.call('POST', `${project}/secrets/made.web/reveal`, {
      body: {},
    })
    const { value } = revealed.json<{ value: string }>()
    const env = commandEnv()
    await runPage('scanning.md', {
      folder: clean,
      env,
      names: {
        '/srv/shop': clean,
        'docker logs shop-web-1 2>&1': 'echo a line',
        'scan --report ': 'scan --report || test $? = 1 ',
        '3f9a1c20d4e5b677': "$(stagely scan findings | awk '/ MADE / {print $1}')",
        '--team shop': '--team default',
      },
      before: async (block) => {
        if (!block.includes('--report')) return
        await writeFile(join(clean, 'made.txt'), `${value}\n`)
        await gitThere('add', 'made.txt')
      },
    })
    expect((await secretStatus('made.web')).version).toBe(2)
  })

  it('leads to a Rotation where a database reads the key once, and never to a new value alone', async () => {
    const password = 'sk_live_5Dq2WnZs81KpTtGv63XeUgLi19PhBf'
    await secret('POSTGRES_PASSWORD', password)
    await write('compose.env', `POSTGRES_PASSWORD=${password}\n`)
    const scanned = await cli('scan', '--report')
    const remedy = 'let a Rotation change the password in both places'
    const line = scanned.stdout.split('\n').find((text) => text.startsWith('compose.env'))
    expect(line).toContain(remedy)
    expect(line).not.toContain('secrets set')
    const [finding] = (await openFindings()).filter(({ key }) => key === 'POSTGRES_PASSWORD')
    const fixed = await cliWith(next, 'scan', 'fix', finding!.id)
    expect([fixed.code, fixed.stderr]).toEqual([1, expect.stringContaining(remedy)])
    await reaches(() => dueOf('postgres-password.web'), 'Leaked')
    const { version, conditions } = await secretStatus('postgres-password.web')
    expect(version).toBe(1)
    expect(conditions.find(({ type }) => type === 'RotationDue')?.message).toContain(remedy)
    expect(outputs).not.toContain(password)
  })

  it('says that a clone is shallow', async () => {
    const shallow = join(dir, 'shallow')
    await run('git', ['clone', '-q', '--depth', '1', `file://${repository}`, shallow])
    const scanned = await cli('scan', shallow, '--range', 'HEAD')
    expect(scanned.stderr).toContain('this clone is shallow: commits that it does not have')
  })

  it('passes on how git refuses a repository of another user, and what to do', async () => {
    gitEnv = { GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' }
    const refused = await cli('scan', '--staged')
    gitEnv = {}
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(
      /^error: git rev-parse: .*dubious ownership[^]*git config --global --add safe\.directory /,
    )
  })

  it('shows no value anywhere', () => {
    for (const value of [strong, old, weak, next, encodeURIComponent(strong)])
      expect(outputs).not.toContain(value)
  })
})
