// npm run proof [-- --only NAME…]: runs what shows each promise, and writes docs/proof.json and docs/proof.md.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { run } from '../lib/processes.ts'
import { renderProofPage } from './page.ts'
import { promises, type ProductPromise, type Proof, type Proofs } from './promises.ts'

const root = resolve(import.meta.dirname, '../..')
const store = join(root, 'docs/proof.json')

const { values: flags } = parseArgs({ options: { only: { type: 'string', multiple: true } } })
const chosen = promises.filter(({ name }) => flags.only?.includes(name) ?? true)
if (chosen.length === 0) {
  process.stderr.write(
    `usage: npm run proof -- [--only ${promises.map(({ name }) => `"${name}"`).join('|')}]\n`,
  )
  process.exit(2)
}

const say = (text: string): void => void process.stderr.write(`${text}\n`)

const whereAndHowBusy = (): string =>
  `${cpus().length} cores (${cpus()[0]?.model.replace(/\s+/g, ' ').trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}, at a load of ${loadavg()[0]?.toFixed(1) ?? '?'}`

const proofOf = (figure: string, holds: boolean): Proof => ({
  figure,
  holds,
  at: new Date()
    .toISOString()
    .replace(/:\d\d\.\d+Z$/, ' UTC')
    .replace('T', ' '),
  on: whereAndHowBusy(),
})

interface Results {
  readonly numPassedTests: number
  readonly numTotalTests: number
}

/** One file at a time, so that a figure is of one promise. */
const proveByTest = async ({ test = '', figure }: ProductPromise): Promise<Proof> => {
  const folder = mkdtempSync(join(tmpdir(), 'stagely-proof-'))
  try {
    const file = join(folder, 'results.json')
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
    const args = [vitest, 'run', '--project', 'services', test, ...reporters]
    const { code, stdout } = await run(process.execPath, args, { cwd: root })
    const { numPassedTests: passed, numTotalTests: total } = JSON.parse(
      readFileSync(file, 'utf8'),
    ) as Results
    const cases = `${passed} of ${total} cases pass`
    const said = figure === undefined ? undefined : figure.exec(stdout)?.[1]?.trim()
    const isWhole =
      code === 0 && total > 0 && passed === total && (figure === undefined || said !== undefined)
    return proofOf(said === undefined ? `${cases}.` : `${said}. ${cases}.`, isWhole)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

type BenchRow = Readonly<Record<string, unknown>>

const measure = async (group: string): Promise<readonly BenchRow[]> => {
  const bench = ['scripts/bench.sh', '--json', '--only', group]
  const { stdout } = await run('bash', bench, { cwd: root })
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as BenchRow)
}

/** Each group runs once, whatever number of promises is shown by it. */
const groups = new Map<string, Promise<readonly BenchRow[]>>()
const proveByBench = async ({ bench = '', rows: wanted = {} }: ProductPromise): Promise<Proof> => {
  const measured = groups.get(bench) ?? measure(bench)
  groups.set(bench, measured)
  const rows = await measured
  const figures = Object.entries(wanted).map(([name, { text, most, of = 'value' }]) => {
    const value = rows.find((row) => row['name'] === name)?.[of]
    if (typeof value !== 'number') return { text: `${name} was not measured`, holds: false }
    const limit = most === undefined || most === 0 ? '' : ` (promised: ${text(most)})`
    return { text: `${text(value)}${limit}`, holds: value <= (most ?? Infinity) }
  })
  const text = figures.map((figure) => figure.text).join(', ')
  return proofOf(
    `${text}.`,
    figures.every(({ holds }) => holds),
  )
}

const proofs: Record<string, Proof> = { ...(JSON.parse(readFileSync(store, 'utf8')) as Proofs) }
for (const promise of chosen) {
  say(`… ${promise.name}`)
  const proof = await (promise.test === undefined ? proveByBench(promise) : proveByTest(promise))
  say(`${proof.holds ? '✓' : '✗'} ${promise.name}: ${proof.figure}`)
  if (!proof.holds) process.exitCode = 1
  proofs[promise.name] = proof
  writeFileSync(store, `${JSON.stringify(proofs, undefined, 2)}\n`)
  writeFileSync(join(root, 'docs/proof.md'), renderProofPage(proofs))
}
