// Gives an object or a list back in the shape that the client asked for.
import { stringify } from 'yaml'
import type { Clock } from '../../../src/kernel/clock.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { Kind } from '../../../src/resources/registry.ts'
import type { AppContext } from '../env.ts'
import { negotiate, type Wanted } from './negotiate.ts'
import { cellsOf, columnDefinitions, type ColumnDefinition } from './table.ts'
import { listOf, toPartial, toWire, type Wire } from './wire-form.ts'

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
    resourceVersion: string
    include: Include
    now: number
    columns?: ColumnDefinition[] | null
  },
): Wire => ({
  kind: 'Table',
  apiVersion: 'meta.k8s.io/v1',
  metadata: { resourceVersion: how.resourceVersion },
  columnDefinitions: how.columns === undefined ? columnDefinitions(kind) : how.columns,
  rows: objects.map((object) => ({
    cells: cellsOf(kind, object, how.now),
    object: how.include === 'None' ? null : how.include === 'Object' ? object : toPartial(object),
  })),
})

const send = (c: AppContext, body: Wire, wanted: Wanted, code: 200 | 201): Response =>
  wanted.yaml
    ? c.body(stringify(body), code, { 'content-type': 'application/yaml' })
    : c.body(JSON.stringify(body), code, { 'content-type': 'application/json' })

export const answerObject = (
  c: AppContext,
  kind: Kind,
  object: KubeObject,
  { clock, code = 200 }: { clock: Clock; code?: 200 | 201 },
): Response => {
  const wanted = negotiate(c.req.header('accept'))
  const wire = toWire(object)
  if (wanted.shape === 'PartialObjectMetadata') return send(c, toPartial(wire), wanted, code)
  if (wanted.shape === 'object') return send(c, wire, wanted, code)
  const resourceVersion = object.metadata.resourceVersion ?? ''
  const how = { resourceVersion, include: includeOf(c), now: clock.now() }
  return send(c, tableOf(kind, [wire], how), wanted, code)
}

export const answerList = (
  c: AppContext,
  kind: Kind,
  list: { items: readonly KubeObject[]; resourceVersion: number },
  clock: Clock,
): Response => {
  const wanted = negotiate(c.req.header('accept'))
  const items = list.items.map(toWire)
  if (wanted.shape === 'Table') {
    const how = {
      resourceVersion: String(list.resourceVersion),
      include: includeOf(c),
      now: clock.now(),
    }
    return send(c, tableOf(kind, items, how), wanted, 200)
  }
  if (wanted.shape === 'object')
    return send(c, listOf(kind, items, list.resourceVersion), wanted, 200)
  const partial = { ...listOf(kind, items.map(toPartial), list.resourceVersion) }
  return send(
    c,
    { ...partial, kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' },
    wanted,
    200,
  )
}

/** Clients take 16 KiB of headers in all. */
const maxWarning = 256

/** The client hears of what was ignored: `Warning: 299 - "unknown field \"spec.a\""`. */
export const warn = (c: AppContext, texts: readonly string[]): void => {
  for (const text of texts.slice(0, 20))
    c.header(
      'Warning',
      `299 - "${text
        .slice(0, maxWarning)
        .replace(/[\\"]/g, '\\$&')
        .replace(/[^\x20-\x7e]/g, '?')}"`,
      {
        append: true,
      },
    )
}
