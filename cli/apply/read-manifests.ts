// Parses and validates everything that -f names, before any request. All faults at once.
import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { append } from '../../src/kernel/append.ts'
import { readAllBytes } from '../../src/kernel/request.ts'
import { isComposeFile } from '../../src/manifests/documents.ts'
import {
  parseManifests,
  type ManifestDocument,
  type ManifestFault,
} from '../../src/manifests/parse.ts'
import { kindNames } from '../../src/kinds/names.ts'
import { apiVersionOf } from '../../src/resources/kind-names.ts'
import { decodeObject } from '../../src/kinds/decode.ts'
import { withHint } from '../../src/search/near-name.ts'
import { CliError, Exit, cannot, usageError } from '../errors.ts'
import { note } from '../print.ts'

/** Reads stdin to its end. */
export const readStdin = (): Promise<Buffer> => readAllBytes(process.stdin)

const isManifest = (name: string): boolean => /\.(ya?ml|json)$/i.test(name)

/** The manifests below a folder, sorted by path; without hidden files. */
const filesBelow = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { withFileTypes: true })
  const found: string[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue
    const path = join(folder, entry.name)
    if ((await stat(path)).isDirectory()) append(found, await filesBelow(path))
    else if (isManifest(entry.name)) found.push(path)
  }
  return found
}

interface Source {
  readonly file: string
  readonly text: string
}

const readFolder = async (folder: string): Promise<Source[]> => {
  const files = await filesBelow(folder)
  if (files.length === 0) throw new CliError(`${folder} holds no .yaml, .yml or .json file`)
  const sources: Source[] = []
  for (const file of files) {
    const text = await readFile(file, 'utf8')
    if (isComposeFile(text)) note(`${file} is a Compose file: passed over`)
    else sources.push({ file, text })
  }
  if (sources.length === 0) throw new CliError(`${folder} holds Compose files, and no manifest`)
  return sources
}

const readSources = async (paths: readonly string[]): Promise<Source[]> => {
  const sources: Source[] = []
  for (const path of paths) {
    if (path === '-') {
      sources.push({ file: 'stdin', text: (await readStdin()).toString('utf8') })
      continue
    }
    const read = async (): Promise<Source[]> =>
      (await stat(path)).isDirectory()
        ? readFolder(path)
        : [{ file: path, text: await readFile(path, 'utf8') }]
    append(sources, await read().catch(cannot(`read ${path}`)))
  }
  return sources
}

export const renderFault = (fault: ManifestFault): string =>
  `${fault.file}:${fault.line}: ${fault.field === undefined || fault.field === '' ? '' : `${fault.field}: `}${fault.message}`

/**
 * The documents of all files, each with a namespace. Prints every fault, and ends the command with 1 if
 * there is one.
 */
export const readManifests = async (
  paths: readonly string[] | undefined,
  defaults: { namespace: string; explicit: boolean },
): Promise<ManifestDocument[]> => {
  if (paths === undefined || paths.length === 0) throw usageError('-f FILE, DIR or - is needed')
  const documents: ManifestDocument[] = []
  const faults: ManifestFault[] = []
  for (const { file, text } of await readSources(paths)) {
    const parsed = parseManifests(text, file)
    const found = [...parsed.faults]
    for (const document of parsed.documents) {
      const wrong = [...namespaceFaults(document, defaults), ...schemaFaults(document)]
      append(found, wrong)
      if (wrong.length === 0) documents.push(document)
    }
    append(
      faults,
      found.sort((a, b) => a.line - b.line),
    )
  }
  append(faults, duplicates(documents))
  if (faults.length > 0) {
    for (const fault of faults) note(renderFault(fault))
    throw new Exit(1)
  }
  if (documents.length === 0) throw new CliError('no objects in the files that were given')
  return documents
}

const at = (document: ManifestDocument, field: string, message: string): ManifestFault => ({
  file: document.file,
  line: document.lineOf(field),
  field,
  message,
})

/** Fills in the namespace. An explicit -n that differs from the file's is a fault, as in kubectl. */
const namespaceFaults = (
  document: ManifestDocument,
  { namespace, explicit }: { namespace: string; explicit: boolean },
): ManifestFault[] => {
  const { object } = document
  const kind = kindNames.find((k) => k.kind === object.kind)
  if (kind?.namespaced !== true) return []
  const own = object.metadata.namespace ?? undefined
  if (own !== undefined && explicit && own !== namespace) {
    return [at(document, 'metadata.namespace', `is "${own}", and -n says "${namespace}"`)]
  }
  object.metadata.namespace = own ?? namespace
  return []
}

const schemaFaults = (document: ManifestDocument): ManifestFault[] => {
  const { object } = document
  const kind = kindNames.find((k) => k.kind === object.kind && k.internal !== true)
  if (kind === undefined) {
    const kinds = kindNames.flatMap(({ kind, internal }) => (internal === true ? [] : kind))
    const message = `"${object.kind}" is not a kind of Stagely; there are: ${withHint(object.kind, kinds)}`
    return [at(document, 'kind', message)]
  }
  if (object.apiVersion !== apiVersionOf(kind)) {
    return [at(document, 'apiVersion', `must be "${apiVersionOf(kind)}"`)]
  }
  const { faults, unknown } = decodeObject(object)
  return [
    ...faults.map((fault) => at(document, fault.field, fault.message)),
    ...unknown.map((field) =>
      at(document, field, `unknown field; "stagely explain ${kind.singular}" says which there are`),
    ),
  ]
}

const duplicates = (documents: readonly ManifestDocument[]): ManifestFault[] => {
  const firstDocuments = new Map<string, ManifestDocument>()
  const faults: ManifestFault[] = []
  for (const document of documents) {
    const { kind, metadata } = document.object
    const key = `${kind}/${metadata.namespace ?? ''}/${metadata.name}`
    const first = firstDocuments.get(key)
    if (first === undefined) firstDocuments.set(key, document)
    else
      faults.push(
        at(
          document,
          'metadata.name',
          `${kind} "${metadata.name}" is already at ${first.file}:${first.line}`,
        ),
      )
  }
  return faults
}
