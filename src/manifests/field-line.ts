// Finds the position of a field in the text. Paths are those of faults: `metadata.labels.app`,
// `files[0]`.
import { isAlias, isMap, isScalar, isSeq, type Document, type Node } from 'yaml'

/** Offset of the field, or of its nearest parent in the text; undefined for an empty document. */
export const lineOfField = (doc: Document, path: string): number | undefined => {
  let node = resolve(doc, doc.contents)
  let offset = node?.range?.[0]
  let rest = path
  while (rest !== '' && node !== undefined) {
    const next = step(doc, node, rest)
    if (next === undefined) break
    offset = next.offset ?? offset
    node = next.node
    rest = next.rest
  }
  return offset
}

interface Step {
  readonly node: Node | undefined
  readonly offset: number | undefined
  readonly rest: string
}

const resolve = (doc: Document, node: unknown): Node | undefined => {
  if (isAlias(node)) return node.resolve(doc)
  return (node ?? undefined) as Node | undefined
}

const step = (doc: Document, node: Node, path: string): Step | undefined => {
  if (isSeq(node)) {
    const match = /^\[(\d+)\]\.?/.exec(path)
    const item = match === null ? undefined : (node.items[Number(match[1])] as Node | undefined)
    if (match === null || item === undefined) return undefined
    return { node: resolve(doc, item), offset: item.range?.[0], rest: path.slice(match[0].length) }
  }
  if (!isMap(node)) return undefined
  // A key may hold dots (labels, annotations): the longest key that the path begins with is used.
  let best: { length: number; key: Node; value: unknown } | undefined
  for (const { key, value } of node.items) {
    if (!isScalar(key)) continue
    const name = String(key.value)
    const fits = path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`)
    if (fits && name.length > (best?.length ?? 0)) best = { length: name.length, key, value }
  }
  if (best === undefined) return undefined
  return {
    node: resolve(doc, best.value),
    offset: best.key.range?.[0],
    rest: path.slice(best.length).replace(/^\./, ''),
  }
}
