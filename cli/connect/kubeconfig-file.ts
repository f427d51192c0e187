// Merges one cluster, user and context into a kubeconfig and keeps all others, with comments. Atomic:
// no reader sees half a file, or one that others may read.
import { mkdir, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Document, isMap, isSeq, parseDocument } from 'yaml'
import { readIfThere, writeWhole } from '../../src/kernel/whole-file.ts'
import { CliError, cannot } from '../errors.ts'

export interface KubeconfigParts {
  /** Name of the cluster, the user and the context. */
  readonly name: string
  readonly cluster: object
  readonly user: object
  readonly context: object
}

/** CliError when the file cannot be read or written, or is no kubeconfig; then it is unchanged. */
export const mergeKubeconfig = async (file: string, parts: KubeconfigParts): Promise<void> => {
  // A link is kept: its target is replaced.
  const target = await realpath(file).catch(() => file)
  const before = await readIfThere(target).catch(cannot(`read ${target}`))
  const merged = mergeInto(before ?? '', parts, file)
  await mkdir(dirname(target), { recursive: true, mode: 0o700 })
    .then(() => writeWhole(target, merged, { mode: 0o600 }))
    .catch(cannot(`write ${file}`))
}

/** The file's text with the parts merged in. */
const mergeInto = (text: string, parts: KubeconfigParts, file: string): string => {
  const document = parseDocument(text, { version: '1.1' })
  if (document.errors.length > 0) throw new CliError(`${file} is not valid YAML: mend it first`)
  if (document.contents === null)
    document.contents = new Document({ apiVersion: 'v1', kind: 'Config' }, { version: '1.1' })
      .contents as typeof document.contents
  if (!isMap(document.contents)) throw new CliError(`${file} is not a kubeconfig`)
  const { name } = parts
  put(document, 'clusters', name, { name, cluster: parts.cluster })
  put(document, 'users', name, { name, user: parts.user })
  put(document, 'contexts', name, { name, context: parts.context })
  document.set('current-context', name)
  return document.toString({ lineWidth: 0 })
}

const put = (document: Document, list: string, name: string, entry: object): void => {
  const entries: unknown = document.get(list, true)
  if (!isSeq(entries)) {
    document.set(list, document.createNode([entry]))
    return
  }
  const index = entries.items.findIndex((item) => isMap(item) && item.get('name') === name)
  if (index < 0) entries.add(document.createNode(entry))
  else entries.set(index, document.createNode(entry))
}
