// Gives an object or a list back in the shape that the client asked for.
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import { stringify } from 'yaml'
import type { Clock } from '../../../src/kernel/clock.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { Kind } from '../../../src/resources/registry.ts'
import type { AppContext } from '../env.ts'
import { warningValues } from '../warnings.ts'
import type { ListAnswer } from './list.ts'
import { negotiate, type Wanted } from './negotiate.ts'
import { cellsOf, columnDefinitions, type ColumnDefinition } from './table.ts'
import { listOf, toPartial, toWire, type ListMeta, type Wire } from './wire-form.ts'

export type Include = 'None' | 'Metadata' | 'Object'

export const includeOf = (c: AppContext): Include => {
  const text = c.req.query('includeObject') ?? 'Metadata'
  if (!['', 'None', 'Metadata', 'Object'].includes(text))
    throw new StagelyError('BadRequest', 'includeObject must be None, Metadata or Object')
  return text === '' ? 'Metadata' : (text as Include)
}

export const tableOf = (
  kind: Kind,
  objects: readonly Wire[],
  how: {
    metadata: ListMeta
    include: Include
    now: number
    columns?: ColumnDefinition[] | null
  },
): Wire => ({
  kind: 'Table',
  apiVersion: 'meta.k8s.io/v1',
  metadata: how.metadata,
  columnDefinitions: how.columns === undefined ? columnDefinitions(kind) : how.columns,
  rows: objects.map((object) => ({
    cells: cellsOf(kind, object, how.now),
    object: how.include === 'None' ? null : how.include === 'Object' ? object : toPartial(object),
  })),
})

const gzipAsync = promisify(gzip)
/** Smaller answers cost more to pack than to send. */
const gzipFromBytes = 128 * 1024

const send = async (
  c: AppContext,
  body: Wire,
  wanted: Wanted,
  code: 200 | 201 = 200,
): Promise<Response> => {
  const text = wanted.yaml ? stringify(body) : JSON.stringify(body)
  const headers = { 'content-type': wanted.yaml ? 'application/yaml' : 'application/json' }
  const packed =
    text.length > gzipFromBytes && /\bgzip\b/.test(c.req.header('accept-encoding') ?? '')
  if (!packed) return c.body(text, code, headers)
  const bytes = new Uint8Array(await gzipAsync(text, { level: constants.Z_BEST_SPEED }))
  return c.body(bytes, code, {
    ...headers,
    'content-encoding': 'gzip',
    vary: 'Accept-Encoding',
  })
}

export const answerObject = (
  c: AppContext,
  kind: Kind,
  object: KubeObject,
  { clock, code = 200 }: { clock: Clock; code?: 200 | 201 },
): Promise<Response> => {
  const wanted = negotiate(c.req.header('accept'))
  const wire = toWire(object)
  if (wanted.shape === 'PartialObjectMetadata') return send(c, toPartial(wire), wanted, code)
  if (wanted.shape === 'object') return send(c, wire, wanted, code)
  const metadata = { resourceVersion: object.metadata.resourceVersion ?? '' }
  const how = { metadata, include: includeOf(c), now: clock.now() }
  return send(c, tableOf(kind, [wire], how), wanted, code)
}

const listMeta = (list: ListAnswer): ListMeta => ({
  resourceVersion: String(list.resourceVersion),
  ...(list.continue === undefined ? {} : { continue: list.continue }),
  ...(list.remaining === undefined ? {} : { remainingItemCount: list.remaining }),
})

export const answerList = (
  c: AppContext,
  kind: Kind,
  list: ListAnswer,
  clock: Clock,
): Promise<Response> => {
  const wanted = negotiate(c.req.header('accept'))
  const items = list.items.map(toWire)
  const metadata = listMeta(list)
  if (wanted.shape === 'Table') {
    const how = { metadata, include: includeOf(c), now: clock.now() }
    return send(c, tableOf(kind, items, how), wanted)
  }
  if (wanted.shape === 'object') return send(c, listOf(kind, items, metadata), wanted)
  const partial = listOf(kind, items.map(toPartial), metadata)
  return send(
    c,
    { ...partial, kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' },
    wanted,
  )
}

/** The client hears of what was ignored: `Warning: 299 - "unknown field \"spec.a\""`. */
export const warn = (c: AppContext, texts: readonly string[]): void => {
  for (const value of warningValues(texts)) c.header('Warning', value, { append: true })
}
