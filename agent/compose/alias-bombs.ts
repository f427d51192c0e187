// Whether a YAML text grows beyond all bounds where its aliases are filled in, as Compose does: nine lines of nine aliases
// each took 22 GB.
import { isAlias, isCollection, isPair, parseAllDocuments, type Node } from 'yaml'

/** Stacks of 500 services that share their settings have some 50,000. */
const mostNodes = 200_000

interface Seen {
  readonly anchors: Map<string, Node>
  readonly sizes: Map<unknown, number>
}

/** How many nodes it is with all aliases filled in. Each node is looked at once, in the order of the text. */
const sizeOf = (node: unknown, seen: Seen): number => {
  const { anchors, sizes } = seen
  if (isAlias(node)) return sizes.get(anchors.get(node.source)) ?? 1
  if (isPair(node)) return sizeOf(node.key, seen) + sizeOf(node.value, seen)
  const { anchor } = (node ?? {}) as { readonly anchor?: string }
  if (anchor !== undefined) anchors.set(anchor, node as Node)
  const items: readonly unknown[] = isCollection(node) ? node.items : []
  const size = items.reduce<number>((sum, item) => sum + sizeOf(item, seen), 1)
  sizes.set(node, size)
  return size
}

/** The nodes of a text that would fill memory; undefined for all others, and for what is no YAML: Compose says so. */
export const boundlessNodes = (text: string): number | undefined => {
  const documents = [parseAllDocuments(text, { logLevel: 'silent', uniqueKeys: false })].flat()
  const sizes = documents.map(({ contents }) =>
    sizeOf(contents, { anchors: new Map(), sizes: new Map() }),
  )
  const size = sizes.reduce((sum, one) => sum + one, 0)
  return size > mostNodes ? size : undefined
}
