// npm run bench [-- --json] [--size small|full] [--changes N] [--stacks NAME,…] [--only NAME…]: measures, never judges by exit code.
import { parseArgs } from 'node:util'
import { makeMissingImages, removeImages } from '../../scripts/lib/images.ts'
import { makeTestImage } from '../support/docker/docker-setup.ts'
import { benchAgents } from './agents.ts'
import { benchApi } from './api.ts'
import { benchChanges } from './changes.ts'
import { benchAgentRequests } from './agent-requests.ts'
import { benchCrypto } from './crypto.ts'
import { benchDashboard } from './dashboard.ts'
import { benchFootprint } from './footprint.ts'
import { benchLoad } from './load.ts'
import { benchMask } from './mask.ts'
import type { Row } from './measure.ts'
import { benchMerge } from './merge.ts'
import { benchOverride } from './override.ts'
import { heading, jsonLine, tableLine } from './report.ts'
import { benchRest } from './rest.ts'
import { benchRollout } from './rollout.ts'
import { benchRotation } from './rotation.ts'
import { benchScale } from './scale.ts'
import { benchScan } from './scan.ts'
import { benchImage, benchImageScript } from './stacks.ts'
import { benchStore } from './store.ts'
import { benchStoreChange } from './store-change.ts'
import { benchIdleStore } from './stores.ts'
import { isMet } from './targets.ts'
import { startWorld } from './world.ts'

// prettier-ignore
const groups = ['pure', 'store', 'api', 'load', 'rollout', 'changes', 'rest', 'agents', 'scale', 'dashboard', 'stores', 'rotation', 'scan'] as const
/** What one world of real programs is measured with. */
const processes = ['rollout', 'changes', 'rest'] as const

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    size: { type: 'string', default: 'small' },
    changes: { type: 'string' },
    stacks: { type: 'string' },
    only: { type: 'string', multiple: true, default: [...groups] },
  },
})
const full = flags.size === 'full'
const changes = flags.changes === undefined ? undefined : Number(flags.changes)
const stacks = flags.stacks?.split(',')
/** Groups by other names; the time of propagation is measured with the agents. */
const others: Readonly<Record<string, readonly string[]>> = { processes, slo: ['agents'] }
const only = flags.only.flatMap((name) => others[name] ?? [name])
if (
  !['small', 'full'].includes(flags.size) ||
  (changes !== undefined && !(changes > 0)) ||
  !only.every((name) => groups.some((known) => known === name))
) {
  process.stderr.write(
    `usage: npm run bench -- [--json] [--size small|full] [--changes N] [--stacks NAME,…] [--only ${[...groups, ...Object.keys(others)].join('|')}]\n`,
  )
  process.exit(2)
}

const missed: string[] = []
const show = (rows: readonly Row[]): void => {
  for (const row of rows) {
    process.stdout.write(`${flags.json ? jsonLine(row) : tableLine(row)}\n`)
    if (isMet(row.name, row.value) === false) missed.push(row.name)
  }
}

/** A group that fails does not hide the others; the exit code tells. */
const group = async (
  names: readonly (typeof groups)[number][],
  measure: () => Promise<void>,
): Promise<void> => {
  if (!names.some((name) => only.includes(name))) return
  try {
    await measure()
  } catch (error) {
    process.exitCode = 1
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`  ${names.join(', ')} rows: ${message}\n`)
  }
}

const benchProcesses = async (): Promise<void> => {
  const made = await makeMissingImages({ [benchImage]: benchImageScript })
  await makeTestImage()
  try {
    const world = await startWorld()
    try {
      if (only.includes('rollout')) show(await benchRollout(world, full ? 25 : 9))
      if (only.includes('changes')) {
        const count = changes ?? (full ? 1_000 : 30)
        show(await benchChanges(world, { changes: count, stacks }))
      }
      if (only.includes('rest')) show(await benchFootprint(world, full ? 3_600_000 : 60_000))
    } finally {
      await world.stop()
    }
  } finally {
    await removeImages(made)
  }
}

if (!flags.json) process.stdout.write(`\n${heading}\n`)
await group(['pure'], async () => {
  show(benchCrypto())
  show(benchAgentRequests())
  show(benchOverride())
  show(benchMask(full))
  show(await benchMerge())
})
await group(['store'], async () => {
  show(await benchStore(full ? 201 : 51))
  show(await benchRest(full ? 200 : 50))
})
await group(['api'], async () => {
  show(await benchApi(full))
})
await group(['load'], () => benchLoad(full, show))
await group(processes, benchProcesses)
await group(['agents'], async () => {
  show(await benchAgents(full ? 5_000 : 1_000))
})
await group(['scale'], async () => {
  show(await benchScale(100_000))
})
await group(['dashboard'], () => benchDashboard(full, show))
await group(['stores'], async () => {
  const made = await makeMissingImages({ [benchImage]: benchImageScript })
  try {
    show(await benchStoreChange(full ? 25 : 9))
  } finally {
    await removeImages(made)
  }
  show(await benchIdleStore(full ? 10 : 1))
})
await group(['rotation'], async () => {
  await makeTestImage()
  show(await benchRotation(full ? 100 : 3))
})
await group(['scan'], () => benchScan(full, show))
if (!flags.json) {
  const sum = missed.length === 0 ? 'Every target is met.' : `Missed: ${missed.join(', ')}.`
  process.stdout.write(`\n  ${sum}\n`)
}
