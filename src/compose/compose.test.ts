import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ComposeError, isAtLeast, openCompose } from './compose.ts'

describe('Compose', () => {
  it('compares versions by number', () => {
    expect(isAtLeast('2.29.3', '2.29.3')).toBe(true)
    expect(isAtLeast('2.9.9', '2.29.3')).toBe(false)
    expect(isAtLeast('5.0.0', '2.29.3')).toBe(true)
  })

  it('is refused where it is too old, with the version that is needed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stagely-compose-'))
    const binary = join(folder, 'docker-compose')
    const open = async (says: string): Promise<string> => {
      await writeFile(binary, `#!/bin/sh\necho '${says}'\n`, { mode: 0o755 })
      return openCompose({}, binary).then((c) => c.version, String)
    }
    try {
      expect(await open('2.26.1-4')).toBe('2.26.1')
      expect(await open('v5.0.2')).toBe('5.0.2')
      expect(await open('2.24.7')).toMatch(
        /2\.24\.7, which is too old: install .* 2\.26\.0 or later/,
      )
      expect(await open('docker-compose')).toMatch(/no Compose that tells its version/)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('is another one after an upgrade, and is asked for its version only then', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stagely-compose-'))
    const [binary, asked] = [join(folder, 'docker-compose'), join(folder, 'asked')]
    /** As a package manager does it: the new file takes the place of the old one. */
    const install = async (version: string): Promise<void> => {
      const script = `#!/bin/sh\necho asked >> '${asked}'\necho '${version}'\n`
      await writeFile(`${binary}.new`, script, { mode: 0o755 })
      await rename(`${binary}.new`, binary)
    }
    const timesAsked = async (): Promise<number> =>
      (await readFile(asked, 'utf8')).split('\n').length - 1
    try {
      await install('2.26.1')
      const compose = await openCompose({ PATH: folder }, binary)
      await compose.lookAgain()
      expect([compose.version, await timesAsked()]).toEqual(['2.26.1', 1])
      await install('v2.40.3')
      await Promise.all([compose.lookAgain(), compose.lookAgain()])
      await compose.lookAgain()
      expect([compose.version, await timesAsked()]).toEqual(['2.40.3', 2])
      await install('2.20.0')
      await expect(compose.lookAgain()).rejects.toThrow(/2\.20\.0, which is too old: install/)
      await rm(binary)
      await expect(compose.lookAgain()).rejects.toThrow(/no .*docker-compose found: install/)
      await install('2.41.0')
      await compose.lookAgain()
      expect(compose.version).toBe('2.41.0')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('does not repeat what it quotes of a broken .env', () => {
    const stderr = 'failed to read /srv/.env: line 3: unterminated quoted value "hunter2\nnext'
    const result = { exitCode: 1, signal: undefined, timedOut: false, stdout: '', stderr }
    const error = new ComposeError('config', { ...result, startError: undefined }, (t) => t)
    expect(error.stderr).toBe('failed to read /srv/.env: line 3: unterminated quoted value …\nnext')
  })

  it('fails with masked output, without warnings', () => {
    const stderr = 'time="2026" level=warning msg="The \\"A\\" variable is not set"\nno: hush\n'
    const result = {
      exitCode: 15,
      signal: undefined,
      timedOut: false,
      stdout: '',
      stderr,
      startError: undefined,
    }
    const error = new ComposeError('up', result, (t) => t.replaceAll('hush', '***'))
    expect(error.message).toBe('docker compose up failed with exit code 15: no: ***')
  })
})
