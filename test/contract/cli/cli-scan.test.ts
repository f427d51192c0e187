// `stagely scan` on a real repository and a real controller: what is found where, in which state, and that no value is in
// any answer or output.
import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Finding } from '../../../cli/scan/findings.ts'
import type { Fingerprints } from '../../../src/rest/types.ts'
import { memoryFolder } from '../../support/memory-folder.ts'
import { runCli } from '../../support/programs/cli.ts'
import { startTestController, type TestController } from '../../support/programs/controller.ts'

const run = promisify(execFile)
const strong = 'sk_live_4eC39HqLyjWDarjtT1zdp7dcXw9Zm'
const old = 'whsec_9Yt2mQ4vX7bN1cR8kL5jH3gF6dS0aZ'
/** Without any form, and weak. */
const weak = 'correct horse battery'
const project = '/api/v1/projects/default%2Fshop'

describe('a scan', () => {
  let controller: TestController
  let dir: string
  let repository: string
  let outputs = ''

  const cli = async (...words: string[]): ReturnType<typeof runCli> => {
    const env = {
      HOME: controller.dataDir,
      STAGELY_SERVER: controller.url,
      STAGELY_TOKEN: controller.token,
      STAGELY_CA_FILE: `${controller.dataDir}/ca.crt`,
    }
    const ran = await runCli(words, env, '', repository)
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
    const tokenOf = async (role: string): Promise<Record<string, string>> => {
      const body = { name: role, role }
      const made = await controller.call('POST', '/api/v1/teams/default/tokens', { body })
      return { authorization: `Bearer ${made.json<{ token: string }>().token}` }
    }
    const read = (headers: Record<string, string>) =>
      controller.call('GET', `${project}/fingerprints`, { headers })
    for (const role of ['viewer', 'deployer', 'operator'])
      expect((await read(await tokenOf(role))).status).toBe(403)
    const developer = await read(await tokenOf('developer'))
    const { strong: known, weak_lengths: lengths } = developer.json<Fingerprints>()
    expect(known.map(({ key }) => key).sort()).toEqual(['HOOK', 'HOOK', 'STRIPE'])
    expect(lengths).toEqual([weak.length])
    const audit = await controller.call('GET', '/api/v1/audit?action=read%20fingerprints')
    expect(audit.json<{ rows: object[] }>().rows.length).toBeGreaterThan(0)
    outputs += developer.text + audit.text
  })

  it('shows no value anywhere', () => {
    for (const value of [strong, old, weak, encodeURIComponent(strong)])
      expect(outputs).not.toContain(value)
  })
})
