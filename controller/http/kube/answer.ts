// Answers with an object or a list in the format that the client asked for.
import { stringify } from 'yaml'
import type { Clock } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { apiVersionOf, type Kind } from '../../../src/resources/registry.ts'
import type { StoredObject } from '../../../src/store/store.ts'
import type { AppContext } from '../env.ts'
import { packed } from '../packed.ts'
import { warningValues } from '../warnings.ts'
import type { ListAnswer } from './list.ts'
import { negotiate, type Wanted } from './negotiate.ts'
import { cellsOf, columnDefinitions, type ColumnDefinition } from './table.ts'
import { listText, toPartial, toWire, wireText, type ListMeta, type Wire } from './wire-form.ts'

export type Include = 'None' | 'Metadata' | 'Object'

export const includeOf = (c: AppContext): Include => {
  const text = c.req.query('includeObject') ?? 'Metadata'
  if (!['', 'None', 'Metadata', 'Object'].includes(text))
    throw new StagelyError('BadRequest', 'includeObject must be None, Metadata or Object')
  return text === '' ? 'Metadata' : (text as Include)
}

/** NotAcceptable or BadRequest when no answer is possible: called before anything is changed. */
export const checkAnswer = (c: AppContext): void => {
  if (negotiate(c.req.header('accept')).shape === 'Table') includeOf(c)
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
    object: rowObject(object, how.include),
  })),
})

/** Without managedFields in tables: they are most of an object's size, and of no use there. */
const rowObject = (object: Wire, include: Include): Wire | null => {
  if (include !== 'Metadata') return include === 'None' ? null : object
  const { managedFields: _, ...metadata } = object['metadata'] as Wire
  return toPartial({ metadata })
}

const send = async (
  c: AppContext,
  json: string,
  wanted: Wanted,
  code: 200 | 201 = 200,
): Promise<Response> => {
  // Quoted for readers of YAML 1.1, such as kubectl, which would take some texts for booleans or times.
  const text = wanted.yaml ? stringify(JSON.parse(json), { version: '1.1', lineWidth: 0 }) : json
  const headers = { 'content-type': wanted.yaml ? 'application/yaml' : 'application/json' }
  const small = await packed(c, text)
  if (small === undefined) return c.body(text, code, headers)
  return c.body(small.bytes, code, { ...headers, ...small.headers })
}

interface How {
  readonly clock: Clock
  readonly code?: 200 | 201
}

/** Answers with a stored object. */
export const answerStored = (
  c: AppContext,
  kind: Kind,
  stored: StoredObject,
  { clock, code = 200 }: How,
): Promise<Response> => {
  const wanted = negotiate(c.req.header('accept'))
  if (wanted.shape === 'object') return send(c, wireText(kind, stored), wanted, code)
  const wire = toWire(stored.object)
  if (wanted.shape === 'PartialObjectMetadata')
    return send(c, JSON.stringify(toPartial(wire)), wanted, code)
  const metadata = { resourceVersion: stored.object.metadata.resourceVersion ?? '' }
  const how = { metadata, include: includeOf(c), now: clock.now() }
  return send(c, JSON.stringify(tableOf(kind, [wire], how)), wanted, code)
}

/** The result of a write in the form of a stored object. */
export const asStored = (object: KubeObject): StoredObject => ({
  text: JSON.stringify(object),
  object,
})

/** Answers with the object that a write made. */
export const answerObject = (
  c: AppContext,
  kind: Kind,
  object: KubeObject,
  how: How,
): Promise<Response> => answerStored(c, kind, asStored(object), how)

const listMeta = (list: ListAnswer): ListMeta => ({
  resourceVersion: String(list.resourceVersion),
  ...defined({ continue: list.continue, remainingItemCount: list.remaining }),
})

export const answerList = (
  c: AppContext,
  kind: Kind,
  list: ListAnswer,
  clock: Clock,
): Promise<Response> => {
  const wanted = negotiate(c.req.header('accept'))
  const metadata = listMeta(list)
  if (wanted.shape === 'object') {
    const head = { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata }
    const items = list.items.map((item) => wireText(kind, item))
    return send(c, listText(head, items), wanted)
  }
  const items = list.items.map(({ object }) => toWire(object))
  if (wanted.shape === 'Table') {
    const how = { metadata, include: includeOf(c), now: clock.now() }
    return send(c, JSON.stringify(tableOf(kind, items, how)), wanted)
  }
  const head = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata }
  const partial = items.map((item) => JSON.stringify(toPartial(item)))
  return send(c, listText(head, partial), wanted)
}

/**
 * Sends a warning once for each text: `Warning: 299 - "unknown field \"spec.a\""`. A write may run
 * twice.
 */
export const warn = (c: AppContext, texts: readonly string[]): void => {
  // Not asked of `c.res`: that would make an answer, with a stream, beside the one that is sent.
  const said = c.get('warned') ?? new Set()
  for (const value of warningValues(texts)) {
    if (!said.has(value)) c.header('Warning', value, { append: true })
    c.set('warned', said.add(value))
  }
}
