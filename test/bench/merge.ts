// compose_merge_ms: Compose alone reads a stack of five services with the override on standard input. Wall time of a
// process, which the start of Compose is most of.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../scripts/lib/processes.ts'
import { renderOverride } from '../../src/compose/override.ts'
import { median, timeAsyncMs, type Row } from './measure.ts'

export const benchMerge = async (): Promise<Row[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'stagely-merge-'))
  try {
    const services = Array.from({ length: 5 }, (_, i) => `service-${i}`)
    const written = services.map((name) => `  ${name}: {image: "${name}:1", environment: {A: b}}\n`)
    writeFileSync(join(folder, 'compose.yaml'), `services:\n${written.join('')}`)
    const stdin = renderOverride(
      services.map((service) => ({ service, digest: 'd'.repeat(64), entries: [] })),
    ).toString()
    const merge = async (): Promise<void> => {
      const files = ['-f', 'compose.yaml', '-f', '-']
      const merged = await run('docker', ['compose', ...files, 'config', '-q'], {
        cwd: folder,
        stdin,
      })
      if (merged.code !== 0) throw new Error(`docker compose config: ${merged.stderr}`)
    }
    await merge()
    const all: number[] = []
    for (let round = 0; round < 15; round++) all.push(await timeAsyncMs(merge))
    return [{ name: 'compose_merge_ms', value: median(all), unit: 'ms', services: services.length }]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
