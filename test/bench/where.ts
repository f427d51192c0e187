// where_…: an agent looks through a third of a gigabyte of other text, as each of three machines has, for three values.
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LookEngine } from '../../agent/look/looking.ts'
import { createLookRuns } from '../../agent/look/looks.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import type { FoundPlace } from '../../src/protocol/look.ts'
import type { Row } from './measure.ts'
import { planted } from './scan-repository.ts'

const fileBytes = 900_000

const noEngine: LookEngine = {
  listAllContainers: () => Promise.resolve([]),
  listContainers: () => Promise.resolve([]),
  configOf: () => Promise.reject(new Error('no container')),
  listImages: () => Promise.resolve([]),
  imageConfig: () => Promise.resolve(undefined),
  openLog: () => Promise.reject(new Error('no container')),
}

const look = (dir: string, wanted: readonly string[]): Promise<readonly FoundPlace[]> =>
  new Promise((resolve) => {
    const runs = createLookRuns({
      engine: noEngine,
      projects: () => new Set(),
      sourceOf: () => undefined,
      folders: { allowDirs: [dir], ownDirs: [] },
      client: {
        post: ({ body }) => {
          resolve((body as { found?: { places: FoundPlace[] } }).found?.places ?? [])
          runs.stop()
          return Promise.resolve({} as never)
        },
      },
      clock: realClock,
      log: silentLogger,
    })
    const values = wanted.map((value, i) => ({
      name: String(i),
      value: Buffer.from(value).toString('base64'),
    }))
    runs.start({
      type: 'lookFor',
      id: 'bench',
      key: '',
      prints: [],
      values,
      containersOnly: false,
    })
  })

export const benchWhere = async (full: boolean, sources: readonly Buffer[]): Promise<Row> => {
  const dir = mkdtempSync(join(tmpdir(), 'stagely-bench-where-'))
  try {
    const text = Buffer.concat(sources)
    const files = full ? 370 : 37
    for (let i = 0; i < files; i++) {
      const from = (i * fileBytes) % (text.length - fileBytes)
      writeFileSync(join(dir, `other-${i}.txt`), text.subarray(from, from + fileBytes))
    }
    const value = randomBytes(24).toString('base64')
    mkdirSync(join(dir, 'planted'))
    const places = planted(10, value)
    for (const { path, text: content } of places) writeFileSync(join(dir, path), content)
    const others = [randomBytes(24), randomBytes(24)].map((bytes) => bytes.toString('base64'))
    const start = performance.now()
    const found = await look(dir, [value, ...others])
    const seconds = (performance.now() - start) / 1_000
    const right = places.filter(({ path }) => found.some(({ at = '' }) => at.includes(path)))
    return {
      name: 'where_s',
      value: seconds,
      unit: 's',
      bytes: files * fileBytes,
      found: right.length,
      of: places.length,
      others: found.filter(({ at = '' }) => !at.includes('/planted/')).length,
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
