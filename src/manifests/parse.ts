// YAML or JSON text → objects, or every fault with file, line and field. Pure. The text is split at
// `---` lines before parsing, so that one broken document does not hide the others.
import { append } from '../kernel/append.ts'
import { isRecord } from '../kernel/record.ts'
import type { KubeObject } from '../resources/meta.ts'
import { cutDocuments, type Chunk } from './documents.ts'
import { parseYaml } from './yaml.ts'

export interface ManifestFault {
  readonly file: string
  /** 1-based line in the file. */
  readonly line: number
  /** Path such as `spec.compose.files[0]`, if the fault is of one field. */
  readonly field?: string
  readonly message: string
}

export interface ManifestDocument {
  readonly object: KubeObject
  readonly file: string
  /** 1-based line where the object begins. */
  readonly line: number
  /** Line of a field of the object, or of its nearest parent in the file. */
  lineOf(field: string): number
}

export interface Manifests {
  readonly documents: readonly ManifestDocument[]
  readonly faults: readonly ManifestFault[]
}

/** Parses one file. `file` is only a label for messages. Never throws. */
export const parseManifests = (text: string, file: string): Manifests => {
  const documents: ManifestDocument[] = []
  const faults: ManifestFault[] = []
  for (const chunk of cutDocuments(text)) {
    const parsed = parseChunk(chunk, file)
    append(documents, parsed.documents)
    append(faults, parsed.faults)
  }
  return { documents, faults }
}

const parseChunk = (chunk: Chunk, file: string): Manifests => {
  const { content, faults, duplicates, lineOf } = parseYaml(chunk.text)
  const before = chunk.firstLine - 1
  const broken = [...faults, ...duplicates].map(({ line, message }) => ({
    file,
    line: line + before,
    message,
  }))
  if (broken.length > 0) return { documents: [], faults: broken }
  if (content === null || content === undefined) return { documents: [], faults: [] }
  return toObjects(content, file, '', (path) => lineOf(path) + before)
}

const fault = (file: string, line: number, message: string, field?: string): Manifests => ({
  documents: [],
  faults: [field === undefined ? { file, line, message } : { file, line, field, message }],
})

const join = (prefix: string, field: string): string =>
  prefix === '' ? field : `${prefix}.${field}`

/** One object, or every item of a `List`. `prefix` is the path of the object in its document. */
const toObjects = (
  content: unknown,
  file: string,
  prefix: string,
  lineOf: (path: string) => number,
): Manifests => {
  if (!isRecord(content)) {
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

/** The faults that keep an object from being identified: its apiVersion, kind and name. */
const headFaults = (content: Record<string, unknown>): { field: string; message: string }[] => {
  const metadata = content.metadata
  const texts: [string, unknown][] = [
    ['apiVersion', content.apiVersion],
    ['kind', content.kind],
  ]
  const faults: { field: string; message: string }[] = []
  if (isRecord(metadata)) texts.push(['metadata.name', metadata.name])
  else faults.push({ field: 'metadata', message: 'Required value: must be an object with a name' })
  for (const [field, value] of texts) {
    if (value === undefined || value === null || value === '') {
      faults.push({ field, message: 'Required value' })
    } else if (typeof value !== 'string') {
      faults.push({ field, message: 'must be text; quote it in YAML' })
    }
  }
  const namespace = isRecord(metadata) ? metadata.namespace : undefined
  if (namespace !== undefined && namespace !== null && typeof namespace !== 'string') {
    faults.push({ field: 'metadata.namespace', message: 'must be text; quote it in YAML' })
  }
  return faults
}
