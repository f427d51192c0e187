// scan_…: how fast repositories are scanned, and beside gitleaks on the same one: what each finds.
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createScanner, scanText } from '../../src/scan/scanner.ts'
import { createWindowHash, fingerprintOf } from '../../src/scan/fingerprints.ts'
import { freePort } from '../../scripts/lib/processes.ts'
import { pathsIn, root, startController } from '../../scripts/lib/stagely.ts'
import { sender, type Send } from './send.ts'
import { median, timeMs, type Row } from './measure.ts'
import { benchWhere } from './where.ts'
import {
  formless,
  foreignSources,
  makeRepository,
  planted,
  type Planted,
} from './scan-repository.ts'

const packages = join(root, 'node_modules')
const program = join(root, 'dist/cli/main.js')
const project = '/api/v1/projects/default%2Fshop'

/** MB for each second of CPU, of the scanner alone: 1,000 strong values, and weak ones of so many lengths. */
const treeRow = (
  sources: readonly Buffer[],
  weakLengths: readonly number[],
  rounds: number,
): Row => {
  const key = randomBytes(32)
  const hashOf = createWindowHash(key)
  const strong = Array.from({ length: 1_000 }, () =>
    fingerprintOf(key, hashOf, randomBytes(24), true),
  ).flatMap((found) => (found?.strength === 'strong' ? [found] : []))
  const bytes = sources.reduce((sum, { length }) => sum + length, 0)
  let hits = 0
  const speeds = Array.from({ length: rounds }, () => {
    const file = { key: key.toString('base64url'), strong, weak_lengths: weakLengths }
    const scanner = createScanner(file)
    const start = process.cpuUsage()
    for (const source of sources) scanText([scanner], { path: 'x', bytes: source })
    const { user, system } = process.cpuUsage(start)
    hits += scanner.hits.length
    return bytes / (user + system)
  })
  const name = weakLengths.length === 0 ? 'scan_tree_mbps' : 'scan_tree_weak_mbps'
  return {
    name,
    value: median(speeds),
    unit: 'MB/s',
    bytes,
    weakLengths: weakLengths.length,
    falseHits: hits,
  }
}

interface Found {
  readonly path: string
}

const countsOf = (found: readonly Found[], values: readonly Planted[]) => {
  const paths = new Set(found.map(({ path }) => path))
  const right = values.filter(({ path }) => paths.has(path))
  const missed = values.filter(({ path }) => !paths.has(path)).map(({ form }) => form)
  return {
    planted: right.length,
    others: found.filter(({ path }) => !values.some((value) => value.path === path)).length,
    formless: paths.has(values.find(({ value }) => value === formless)?.path ?? '') ? 1 : 0,
    missed: [...new Set(missed)].join(', '),
  }
}

const storeSecrets = async (send: Send, values: readonly Planted[]): Promise<void> => {
  await send('POST', '/api/v1/projects', { team: 'default', name: 'shop' })
  const more = Array.from({ length: 800 }, (_, i) => ({
    key: `MORE_${i}`,
    value: randomBytes(24).toString('base64'),
  }))
  const all = [...values.map(({ key, value }) => ({ key, value })), ...more]
  for (let from = 0; from < all.length; from += 100) {
    const operations = all.slice(from, from + 100).map((secret) => ({ op: 'create', ...secret }))
    await send('POST', `${project}/secrets/batch`, { operations })
  }
}

const gitleaks = (repository: string, report: string): void => {
  const args = [
    'detect',
    '--source',
    repository,
    '--report-format',
    'json',
    '--report-path',
    report,
  ]
  execFileSync('gitleaks', [...args, '--exit-code', '0', '--no-banner'], { stdio: 'ignore' })
}

/** Of the processes of a shell, by `times`. */
const cpuOf = (times: string): number => {
  const parts = [...(times.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)]
  const ms = parts.map(([, minutes, seconds]) => 60_000 * Number(minutes) + 1_000 * Number(seconds))
  return Math.round(ms.reduce((sum, each) => sum + each, 0))
}

/** A commit of 1 MB, with the hook and without. */
const stagedRow = (repository: string, env: NodeJS.ProcessEnv, content: Buffer): Row => {
  const hook = join(repository, '.git/hooks/pre-commit')
  writeFileSync(
    hook,
    `#!/bin/sh\n"${process.execPath}" "${program}" scan --staged\ncode=$?\ntimes > "${hook}.times"\nexit $code\n`,
    {
      mode: 0o755,
    },
  )
  const commitMs = (how: readonly string[]): number => {
    writeFileSync(join(repository, 'large.txt'), Buffer.concat([content, randomBytes(8)]))
    execFileSync('git', ['add', 'large.txt'], { cwd: repository })
    const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.com']
    const options = { cwd: repository, env, stdio: 'ignore' } as const
    return timeMs(() => execFileSync('git', [...identity, 'commit', '-qm', 'x', ...how], options))
  }
  const rounds = [1, 2, 3, 4, 5]
  const pairs = rounds.map(() => ({ hook: commitMs([]), without: commitMs(['--no-verify']) }))
  return {
    name: 'scan_staged_1mb_ms',
    value: median(pairs.map((pair) => pair.hook)),
    unit: 'ms',
    hookCpuMs: cpuOf(readFileSync(`${hook}.times`, 'utf8')),
    withoutHook: Math.round(median(pairs.map((pair) => pair.without))),
    bytes: content.length,
  }
}

export const benchScan = async (
  full: boolean,
  show: (rows: readonly Row[]) => void,
): Promise<void> => {
  const sources = foreignSources(packages, full ? 100_000_000 : 30_000_000)
  show([treeRow(sources, [], 5), treeRow(sources, [9, 12, 13, 14, 16, 18, 20, 21, 23, 24], 3)])
  show([await benchWhere(full, sources)])
  const dir = mkdtempSync(join(tmpdir(), 'stagely-bench-scan-'))
  const controller = await startController(pathsIn(dir), { port: await freePort(0) })
  const { send, close } = sender(controller, 1)
  try {
    const repository = join(dir, 'repository')
    const values = planted(200)
    makeRepository(repository, { commits: 5_000, sources, values })
    await storeSecrets(send, values)
    const env = { HOME: dir, PATH: process.env['PATH'], ...controller.env }
    const scan = (output: string): string => {
      const args = [program, 'scan', '--range', 'HEAD', '-o', output]
      return spawnSync(process.execPath, args, {
        cwd: repository,
        env,
        maxBuffer: 1e9,
      }).stdout.toString()
    }
    const [ours, theirs]: [number[], number[]] = [[], []]
    const report = join(dir, 'gitleaks.json')
    let found = ''
    for (let round = 0; round < (full ? 5 : 3); round++) {
      ours.push(timeMs(() => (found = scan('json'))))
      theirs.push(timeMs(() => gitleaks(repository, report)))
    }
    const leaks = JSON.parse(readFileSync(report, 'utf8')) as { readonly File: string }[]
    const told = found + scan('sarif')
    const valuesTold = values.filter(({ value }) => told.includes(value.trim())).length
    const row = (name: string, times: readonly number[], paths: readonly Found[]): Row => ({
      name,
      value: median(times) / 1_000,
      unit: 's',
      commits: 5_000,
      ...countsOf(paths, values),
    })
    show([
      { ...row('scan_history_s', ours, JSON.parse(found) as Found[]), valuesTold },
      row(
        'scan_history_gitleaks_s',
        theirs,
        leaks.map(({ File: path }) => ({ path })),
      ),
      stagedRow(repository, env, Buffer.concat(sources).subarray(0, 1_000_000)),
    ])
  } finally {
    close()
    await controller.server.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}
