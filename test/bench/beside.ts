// npm run bench -- --beside COMMIT [--turns N] [flags of the bench]: this tree and that commit in turns, and their
// ratios: a machine is not as fast at one time as at another. Each side runs its own benches.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../scripts/lib/processes.ts'
import { root } from '../../scripts/lib/stagely.ts'
import { median, type Row } from './measure.ts'
import { tableLine } from './report.ts'

const [commit = '', turnsText = '', ...flags] = process.argv.slice(2)
const turns = Number(turnsText)

const must = async (command: string, args: readonly string[], cwd: string): Promise<string> => {
  const { code, stdout, stderr } = await run(command, args, { cwd })
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr.trim().slice(-2_000)}`)
  return stdout
}

const say = (text: string): void => void process.stderr.write(`  ${text}\n`)

/** The commit, built. Packages are those of this tree where both have the same list of them. */
const checkOut = async (dir: string): Promise<void> => {
  say(`build ${commit}`)
  await must('git', ['worktree', 'add', '--detach', dir, commit], root)
  const lock = 'package-lock.json'
  const same = readFileSync(join(dir, lock)).equals(readFileSync(join(root, lock)))
  const packages = join(root, 'node_modules')
  if (same) cpSync(packages, join(dir, 'node_modules'), { recursive: true })
  else await must('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], dir)
  await must('npm', ['run', 'build'], dir)
}

const measure = async (dir: string): Promise<readonly Row[]> => {
  const bench = ['--import', 'tsx', 'test/bench/main.ts', '--json', ...flags]
  const text = await must(process.execPath, bench, dir)
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
}

type Turns = Readonly<Record<'old' | 'new', Row[]>>

/** What a row tells of time beside its value: `per_s` is better when it is larger. */
const details = ['per_s', 'cpu_ms', 'whole_cpu_ms', 'p99'] as const

const ratiosOf = (taken: Turns): Row[] => {
  const medianOf = (side: 'old' | 'new', name: string, field: string): number =>
    median(
      taken[side]
        .filter((row) => row.name === name)
        .flatMap((row) => (typeof row[field] === 'number' ? [row[field]] : [])),
    )
  const of = (name: string, field: string): number =>
    Number((medianOf('new', name, field) / medianOf('old', name, field)).toFixed(2))
  const names = new Set(taken.new.map(({ name }) => name))
  return [...names]
    .filter((name) => taken.old.some((row) => row.name === name))
    .map((name) => ({
      name: `${name}: ratio`,
      value: of(name, 'value'),
      unit: '×',
      old: medianOf('old', name, 'value'),
      new: medianOf('new', name, 'value'),
      ...Object.fromEntries(
        details.map((field) => [field, of(name, field)] as const).filter(([, x]) => !isNaN(x)),
      ),
    }))
}

const parent = mkdtempSync(join(tmpdir(), 'stagely-beside-'))
const other = join(parent, 'commit')
try {
  await checkOut(other)
  const taken: Turns = { old: [], new: [] }
  for (let turn = 1; turn <= turns; turn += 1) {
    // Who came first in one turn comes last in the next.
    const sides = [['old', other] as const, ['new', root] as const]
    for (const [side, dir] of turn % 2 === 1 ? sides : sides.reverse()) {
      say(`turn ${turn} of ${turns}: ${side === 'old' ? commit : 'this tree'}`)
      taken[side].push(...(await measure(dir)))
    }
  }
  for (const row of ratiosOf(taken)) process.stdout.write(`${tableLine(row)}\n`)
} finally {
  if (existsSync(other)) await run('git', ['worktree', 'remove', '--force', other], { cwd: root })
  rmSync(parent, { recursive: true, force: true })
}
