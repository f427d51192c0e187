// Answers with an object or a list in the format that the client asked for.
import { stringify } from 'yaml'
import type { Clock } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { apiVersionOf } from '../../../src/resources/kind-names.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
import type { StoredObject } from '../../../src/store/store.ts'
import type { AppContext } from '../env.ts'
import { packed } from '../packed.ts'
import { warningValues } from '../warnings.ts'
import type { ListAnswer } from './list.ts'
import { negotiate, type WantedForm } from './negotiate.ts'
import {
  columnDefinitions,
  rowAt,
  rowTextOf,
  type ColumnDefinition,
  type RowText,
} from './table.ts'
import { listBytes, toPartial, toWire, wireText, type ListMeta, type Wire } from './wire-form.ts'

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

/** The head of a table, beside its rows. */
export const tableHead = (
  kind: Kind,
  metadata: ListMeta,
  columns: ColumnDefinition[] | null = columnDefinitions(kind),
): object => ({
  kind: 'Table',
  apiVersion: 'meta.k8s.io/v1',
  metadata,
  columnDefinitions: columns,
})

/** Of objects that are kept parsed, and so for as long as these are. */
const rowTexts = new WeakMap<KubeObject, RowText>()

/** JSON of a row of a table; `now` in ms. */
export const rowOf = (kind: Kind, object: KubeObject, include: Include, now: number): string => {
  if (include !== 'Metadata') return rowAt(newRow(kind, object, include), now)
  let row = rowTexts.get(object)
  if (row === undefined) rowTexts.set(object, (row = newRow(kind, object, include)))
  return rowAt(row, now)
}

const newRow = (kind: Kind, object: KubeObject, include: Include): RowText => {
  const wire = toWire(object)
  return rowTextOf(kind, wire, JSON.stringify(rowObject(wire, include)))
}

/** Without managedFields in tables: they are most of an object's size, and of no use there. */
const rowObject = (object: Wire, include: Include): Wire | null => {
  if (include !== 'Metadata') return include === 'None' ? null : object
  const { managedFields: _, ...metadata } = object['metadata'] as Wire
  return toPartial({ metadata })
}

/** Quoted for readers of YAML 1.1, such as kubectl, which would take some texts for booleans or times. */
const yamlOf = (json: string | Uint8Array): string => {
  const text = typeof json === 'string' ? json : Buffer.from(json).toString()
  return stringify(JSON.parse(text), { version: '1.1', lineWidth: 0 })
}

const send = async (
  c: AppContext,
  json: string | Uint8Array<ArrayBuffer>,
  wanted: WantedForm,
  code: 200 | 201 = 200,
): Promise<Response> => {
  const content = wanted.yaml ? yamlOf(json) : json
  const headers = { 'content-type': wanted.yaml ? 'application/yaml' : 'application/json' }
  const small = await packed(c, content)
  if (small === undefined) return c.body(content, code, headers)
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
  if (wanted.shape === 'PartialObjectMetadata')
    return send(c, JSON.stringify(toPartial(toWire(stored.object))), wanted, code)
  const metadata = { resourceVersion: stored.object.metadata.resourceVersion ?? '' }
  const row = rowOf(kind, stored.object, includeOf(c), clock.now())
  return send(c, listBytes(tableHead(kind, metadata), 'rows', [row]), wanted, code)
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
    return send(c, listBytes(head, 'items', items), wanted)
  }
  if (wanted.shape === 'Table') {
    const include = includeOf(c)
    const now = clock.now()
    const rows = list.items.map(({ object }) => rowOf(kind, object, include, now))
    return send(c, listBytes(tableHead(kind, metadata), 'rows', rows), wanted)
  }
  const head = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata }
  const partial = list.items.map(({ object }) => JSON.stringify(toPartial(toWire(object))))
  return send(c, listBytes(head, 'items', partial), wanted)
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
