// Whether a YAML text grows beyond all bounds where its aliases are filled in, as Compose does: nine lines of nine aliases
// each took 22 GB.
import type { Node } from 'yaml'

/** Fewer aliases make no text that Compose could not hold. */
const fewAliases = 16
/** Stacks of 500 services that share their settings have some 50,000. */
const mostNodes = 200_000

const alias = /(?:^|[\s,[{:-])\*[^\s,[\]{}]+/g

/** An agent starts without a parser: most stacks have few aliases. */
type Yaml = typeof import('yaml')

interface Seen {
  readonly anchors: Map<string, Node>
  readonly sizes: Map<unknown, number>
}

/** How many nodes it is with all aliases filled in. Each node is looked at once, in the order of the text. */
const sizeOf = (yaml: Yaml, node: unknown, seen: Seen): number => {
  const { anchors, sizes } = seen
  if (yaml.isAlias(node)) return sizes.get(anchors.get(node.source)) ?? 1
  if (yaml.isPair(node)) return sizeOf(yaml, node.key, seen) + sizeOf(yaml, node.value, seen)
  const { anchor } = (node ?? {}) as { readonly anchor?: string }
  if (anchor !== undefined) anchors.set(anchor, node as Node)
  const items: readonly unknown[] = yaml.isCollection(node) ? node.items : []
  const size = items.reduce<number>((sum, item) => sum + sizeOf(yaml, item, seen), 1)
  sizes.set(node, size)
  return size
}

/** The nodes of a text that would fill memory; undefined for all others, and for what is no YAML: Compose says so. */
export const boundlessNodes = async (text: string): Promise<number | undefined> => {
  if ((text.match(alias)?.length ?? 0) <= fewAliases) return undefined
  const yaml = await import('yaml')
  const documents = yaml.parseAllDocuments(text, {
    merge: true,
    logLevel: 'silent',
    uniqueKeys: false,
  })
  const sizes = [...documents].map(({ contents }) =>
    sizeOf(yaml, contents, { anchors: new Map(), sizes: new Map() }),
  )
  const size = sizes.reduce((sum, one) => sum + one, 0)
  return size > mostNodes ? size : undefined
}
