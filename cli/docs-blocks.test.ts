// Each block of commands in the documents runs in a test, or is listed here with the reason why not. The flags and words
// of all of them are held to the commands by command-tree.test.ts.
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = new URL('../', import.meta.url).pathname

/** The test that reads the page, and runs its blocks, or the ones that need no machine of others, as they are written. */
const ran: Readonly<Record<string, string>> = {
  'day-two.md': 'test/contract/cli/cli-environments.test.ts',
  'environments.md': 'test/contract/cli/cli-environments.test.ts',
  'quickstart.md': 'scripts/release/tests/machine.sh',
  'server.md': 'scripts/release/tests/ten-commands.sh',
  'tour-rotation.md': 'test/integration/tour-rotation.test.ts',
}

/** What a page needs that a test has not, or the tests that do the same with other names. */
const notRun: Readonly<Record<string, string>> = {
  'adopting.md': 'its commands with another folder: test/integration/own-way.test.ts',
  'api.md': 'curl against a public address; the routes: test/contract/rest',
  'ci.md': 'runners of others; the jobs are played: test/contract/people',
  'cli.md': 'single commands, each with its own tests: test/contract/cli',
  'coming-from.md': 'programs of other makers',
  'compliance.md': 'an auditor with a key of their own; reports: test/contract/people',
  'dead-machine.md': 'a second machine; a restore: test/integration/restore.test.ts',
  'kubernetes.md': 'a whole cluster',
  'operations.md':
    'root, systemd, several machines; upgrades: test/integration/build-before.test.ts',
  'scanning.md': 'a repository; the command: test/contract/cli/cli-scan.test.ts',
  'security-model.md':
    'people who decide; the command: test/contract/people/access-requests.test.ts',
  'stores.md': 'AWS; the command: test/contract/stores',
}

describe('a block of commands', () => {
  it('runs in a test, or says why not', async () => {
    const names = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md'))
    const withBlocks: string[] = []
    for (const name of names.filter((page) => page !== 'proof.md'))
      if (/^ *```(?:sh|console)$/m.test(await readFile(join(root, 'docs', name), 'utf8')))
        withBlocks.push(name)
    expect(withBlocks.sort()).toEqual([...Object.keys(ran), ...Object.keys(notRun)].sort())
  })

  it('is not run for a reason that names tests that exist', () => {
    const named = Object.values(notRun).flatMap(
      (reason) => reason.match(/(?:test|scripts)\/\S+/g) ?? [],
    )
    expect(named.length).toBeGreaterThan(8)
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  it.each(Object.entries(ran))('of %s is read by the test that runs it', async (page, test) => {
    const text = await readFile(join(root, test), 'utf8')
    expect(text).toMatch(new RegExp(`docs/${page}|pageBlocks\\('${page}'\\)|commands_of ${page}`))
  })
})
