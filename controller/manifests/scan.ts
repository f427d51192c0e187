// Reads a whole folder of manifests into one result. Follows links, also those of a mounted ConfigMap,
// whose files are links through `..data`. Reads each real file once. Never throws.
import { createHash } from 'node:crypto'
import { readFile, readdir, realpath, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { append } from '../../src/kernel/append.ts'
import { isComposeFile } from '../../src/manifests/documents.ts'
import {
  parseManifests,
  type ManifestDocument,
  type ManifestFault,
} from '../../src/manifests/parse.ts'
import { keyOf, refOf } from '../../src/resources/meta.ts'
import { byApplyOrder, kinds } from '../../src/kinds/index.ts'
import { decodeObject } from '../../src/kinds/decode.ts'

export interface FolderFault extends ManifestFault {
  /** Key of the faulty object, if it is known. */
  readonly key?: string
}

export interface Scan {
  /** Changes with any byte of any manifest. */
  readonly fingerprint: string
  /** Valid documents, each object once, in the order in which they are applied. */
  readonly documents: readonly ManifestDocument[]
  readonly faults: readonly FolderFault[]
  /** Every object that a readable document declares, valid or not, and its file. */
  readonly declared: ReadonlyMap<string, string>
  /** Files that could not be fully parsed: it is unknown what they declare. */
  readonly brokenFiles: ReadonlySet<string>
}

type ScanResult =
  { readonly ok: true; readonly scan: Scan } | { readonly ok: false; readonly reason: string }

/** The reason of a folder that is there, and empty. */
export const nothingInIt = 'no manifest in it'

const maxFileBytes = 16 * 1024 * 1024

interface Source {
  readonly file: string
  readonly text: string | undefined
}

/**
 * ok: false when the folder is missing, unreadable, or holds no manifest: nothing follows from it. An
 * object of several files is that of its file in `knownFiles`, else of the first one.
 */
export const scanFolder = async (
  dir: string,
  knownFiles: ReadonlyMap<string, string>,
): Promise<ScanResult> => {
  const sources: Source[] = []
  try {
    await collect(dir, dir, { visited: new Set(), sources })
  } catch (error) {
    return { ok: false, reason: codeOf(error) }
  }
  const manifests = sources.filter(({ text }) => text === undefined || !isComposeFile(text))
  if (manifests.length === 0) return { ok: false, reason: nothingInIt }
  return { ok: true, scan: toScan(manifests, knownFiles) }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'failed'

/**
 * Skips names that begin with a dot: editors' swap files, and the `..data` folders that links lead
 * into.
 */
const collect = async (
  root: string,
  folder: string,
  found: { visited: Set<string>; sources: Source[] },
): Promise<void> => {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort()
  for (const name of names) {
    const path = join(folder, name)
    const file = relative(root, path)
    try {
      const real = await realpath(path)
      const info = await stat(real)
      if (info.isDirectory() ? found.visited.has(real) : !/\.(ya?ml|json)$/i.test(name)) continue
      if (found.visited.has(real)) continue
      found.visited.add(real)
      if (info.isDirectory()) await collect(root, path, found)
      else if (info.isFile()) found.sources.push({ file, text: await readText(real, info.size) })
    } catch {
      // The file vanished or may not be read: its content is unknown, which must not count as empty.
      found.sources.push({ file, text: undefined })
    }
  }
}

const readText = async (path: string, size: number): Promise<string | undefined> =>
  size > maxFileBytes ? undefined : await readFile(path, 'utf8')

const toScan = (sources: readonly Source[], knownFiles: ReadonlyMap<string, string>): Scan => {
  const hash = createHash('sha256')
  const found: ManifestDocument[] = []
  const faults: FolderFault[] = []
  const places = new Map<string, ManifestDocument>()
  const brokenFiles = new Set<string>()
  for (const { file, text } of sources) {
    hash.update(JSON.stringify([file, text ?? null]))
    if (text === undefined) {
      brokenFiles.add(file)
      faults.push({ file, line: 1, message: 'cannot be read, or is longer than 16 MiB' })
      continue
    }
    const parsed = parseManifests(text, file)
    if (parsed.faults.length > 0) brokenFiles.add(file)
    append(faults, parsed.faults)
    for (const document of parsed.documents) {
      fillNamespace(document)
      const key = keyOf(refOf(document.object))
      const scanned = knownFiles.get(key)
      const isNewcomer = places.has(key) && (file !== scanned || places.get(key)?.file === scanned)
      if (!isNewcomer) places.set(key, document)
      found.push(document)
    }
  }
  const documents = found.filter((document) => {
    const wrong = faultsOf(document, places)
    append(faults, wrong)
    return wrong.length === 0
  })
  documents.sort((a, b) => byApplyOrder(a.object, b.object))
  const declared = new Map([...places].map(([key, { file }]) => [key, file]))
  return { fingerprint: hash.digest('hex'), documents, faults, declared, brokenFiles }
}

const kindOf = ({ object }: ManifestDocument): (typeof kinds)[number] | undefined =>
  kinds.find((kind) => kind.kind === object.kind && kind.internal !== true)

const fillNamespace = (document: ManifestDocument): void => {
  const { metadata } = document.object
  if (kindOf(document)?.namespaced === true) metadata.namespace ??= 'default'
  else delete metadata.namespace
}

const faultsOf = (
  document: ManifestDocument,
  places: ReadonlyMap<string, ManifestDocument>,
): FolderFault[] => {
  const key = keyOf(refOf(document.object))
  const place = places.get(key)
  const at = (field: string, message: string): FolderFault => ({
    file: document.file,
    line: document.lineOf(field),
    field,
    message,
    key,
  })
  if (place !== undefined && place !== document) {
    return [at('metadata.name', `the object is already at ${place.file}:${place.line}`)]
  }
  const { faults, unknown } = decodeObject(document.object)
  return [
    ...faults.map(({ field, message }) => at(field, message)),
    ...unknown.map((field) => at(field, 'unknown field')),
  ]
}
