// YAML or JSON text → objects, or every fault with file, line and field. Pure.
//
// - YAML is read as kubectl reads it: YAML 1.1, documents cut at `---` lines before they are parsed,
//   so that one broken document does not hide the others. As there, `1:30` and dates stay text.
// - Messages are our own sentences: those of the parser quote the source, which may hold a secret.
import {
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type DocumentOptions,
  type ErrorCode,
  type ParseOptions,
  type SchemaOptions,
} from 'yaml'
import type { KubeObject } from '../resources/meta.ts'
import { lineOfField } from './field-line.ts'
import { cutDocuments, type Chunk } from './documents.ts'
import { sentenceFor } from './sentences.ts'

export interface ManifestFault {
  readonly file: string
  /** 1-based line in the file. */
  readonly line: number
  /** Path such as `spec.compose.files[0]`, where the fault is of one field. */
  readonly field?: string
  readonly message: string
}

export interface ManifestDocument {
  readonly object: KubeObject
  readonly file: string
  /** 1-based line where the object begins. */
  readonly line: number
  /** Line of a field of the object, or of its nearest parent that is written in the file. */
  lineOf(field: string): number
}

export interface Manifests {
  readonly documents: readonly ManifestDocument[]
  readonly faults: readonly ManifestFault[]
}

const options: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.1',
  schema: 'yaml-1.1',
  prettyErrors: false,
  // The parser compares each key with all before it: see duplicateKeys().
  uniqueKeys: false,
  merge: true,
  // Types that kubectl's parser does not make of plain scalars: sexagesimal numbers and dates stay
  // text. `!!binary` and its like are refused below instead of silently becoming other bytes.
  customTags: (tags) =>
    tags.filter(
      (tag) =>
        typeof tag === 'string' ||
        !(
          /:(timestamp|binary|set|omap|pairs)$/.test(tag.tag) ||
          ('format' in tag && tag.format === 'TIME')
        ),
    ),
}

/** Parses one file. `file` is only a label for messages. Never throws. */
export const parseManifests = (text: string, file: string): Manifests => {
  const documents: ManifestDocument[] = []
  const faults: ManifestFault[] = []
  for (const chunk of cutDocuments(text)) {
    const parsed = parseChunk(chunk, file)
    documents.push(...parsed.documents)
    faults.push(...parsed.faults)
  }
  return { documents, faults }
}

const parseChunk = (chunk: Chunk, file: string): Manifests => {
  const counter = new LineCounter()
  const doc = parseDocument(chunk.text, { ...options, lineCounter: counter })
  const lineAt = (offset: number): number => counter.linePos(offset).line + chunk.firstLine - 1
  const broken = [...doc.errors, ...doc.warnings]
    .map(({ pos, code }) => ({ offset: pos[0], code }))
    .concat(duplicateKeys(doc))
    .map(({ offset, code }) => ({ file, line: lineAt(offset), message: sentenceFor(code) }))
  if (broken.length > 0) return { documents: [], faults: broken }
  const content = toPlain(doc)
  if (content === tooManyAliases) {
    return fault(file, chunk.firstLine, 'aliases expand to more than can be meant')
  }
  if (content === null || content === undefined) return { documents: [], faults: [] }
  const lineOf = (path: string): number => lineAt(lineOfField(doc, path) ?? contentOffset(doc))
  return toObjects(content, file, '', lineOf)
}

/** Where a key is that its map had already. */
const duplicateKeys = (doc: Document): { offset: number; code: ErrorCode }[] => {
  const offsets: number[] = []
  visit(doc, {
    Map: (_, { items }) => {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key)) continue
        if (seen.has(key.value)) offsets.push(key.range?.[0] ?? 0)
        seen.add(key.value)
      }
    },
  })
  return offsets.map((offset) => ({ offset, code: 'DUPLICATE_KEY' }))
}

const tooManyAliases = Symbol('tooManyAliases')

const toPlain = (doc: Document): unknown => {
  try {
    return doc.toJS({ maxAliasCount: 1000 }) as unknown
  } catch {
    return tooManyAliases
  }
}

const contentOffset = (doc: Document): number => doc.contents?.range?.[0] ?? 0

const fault = (file: string, line: number, message: string, field?: string): Manifests => ({
  documents: [],
  faults: [field === undefined ? { file, line, message } : { file, line, field, message }],
})

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const join = (prefix: string, field: string): string =>
  prefix === '' ? field : `${prefix}.${field}`

/** One object, or every item of a `List`. `prefix` is where the object stands in its document. */
const toObjects = (
  content: unknown,
  file: string,
  prefix: string,
  lineOf: (path: string) => number,
): Manifests => {
  if (!isMap(content)) {
    return fault(file, lineOf(prefix), 'not an object: expected apiVersion, kind and metadata')
  }
  if (
    typeof content.kind === 'string' &&
    content.kind.endsWith('List') &&
    Array.isArray(content.items)
  ) {
    const items = content.items.map((item, index) =>
      toObjects(item, file, join(prefix, `items[${index}]`), lineOf),
    )
    return {
      documents: items.flatMap((i) => i.documents),
      faults: items.flatMap((i) => i.faults),
    }
  }
  const faults = headFaults(content).map(({ field, message }) => ({
    file,
    line: lineOf(join(prefix, field)),
    field,
    message,
  }))
  if (faults.length > 0) return { documents: [], faults }
  return {
    documents: [
      {
        object: content as unknown as KubeObject,
        file,
        line: lineOf(prefix),
        lineOf: (field) => lineOf(join(prefix, field)),
      },
    ],
    faults: [],
  }
}

/** What must hold before anything can be said about the object at all. */
const headFaults = (content: Record<string, unknown>): { field: string; message: string }[] => {
  const metadata = content.metadata
  const texts: [string, unknown][] = [
    ['apiVersion', content.apiVersion],
    ['kind', content.kind],
  ]
  const faults: { field: string; message: string }[] = []
  if (isMap(metadata)) texts.push(['metadata.name', metadata.name])
  else faults.push({ field: 'metadata', message: 'Required value: must be an object with a name' })
  for (const [field, value] of texts) {
    if (value === undefined || value === null || value === '') {
      faults.push({ field, message: 'Required value' })
    } else if (typeof value !== 'string') {
      faults.push({ field, message: 'must be text; quote it in YAML' })
    }
  }
  const namespace = isMap(metadata) ? metadata.namespace : undefined
  if (namespace !== undefined && namespace !== null && typeof namespace !== 'string') {
    faults.push({ field: 'metadata.namespace', message: 'must be text; quote it in YAML' })
  }
  return faults
}
