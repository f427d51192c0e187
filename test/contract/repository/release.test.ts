// The npm package of a release: what is in it, and that it is the same bytes each time.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../..')
let scratch: string
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'stagely-release-'))
})
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true })
})

const release = (name: string): string => {
  const out = join(scratch, name)
  const args = ['scripts/release/release.mjs', '--no-build', '--only', 'npm', '--out', out]
  execFileSync(process.execPath, args, { cwd: root, stdio: 'pipe' })
  return out
}

it('is the same bytes each time, small, and runs without any package beside it', () => {
  const [first, second] = [release('first'), release('second')]
  const sums = readFileSync(join(first, 'SHA256SUMS'), 'utf8')
  expect(sums).toMatch(/^[0-9a-f]{64} {2}stagely-.*\.tgz\n$/)
  expect(readFileSync(join(second, 'SHA256SUMS'), 'utf8')).toBe(sums)
  const archive = join(first, sums.slice(66).trim())
  expect(statSync(archive).size).toBeLessThanOrEqual(12_000_000)
  execFileSync('tar', ['-xzf', archive, '-C', scratch])
  const manifest: unknown = JSON.parse(readFileSync(join(scratch, 'package/package.json'), 'utf8'))
  for (const part of ['dependencies', 'optionalDependencies', 'scripts'])
    expect(manifest).not.toHaveProperty(part)
  const main = join(scratch, 'package/dist/cli/main.js')
  const version = execFileSync(process.execPath, [main, '--version'], { encoding: 'utf8' })
  expect(manifest).toMatchObject({ name: 'stagely', version: version.trim() })
}, 180_000)
