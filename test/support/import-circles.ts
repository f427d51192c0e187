// Circles among files that import each other; imports of types count.
import { dirname, posix } from 'node:path'

const importsOf = (file: string, text: string): string[] =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.\.?\/[^']+)'/g)].map(([, target]) =>
    posix.join(dirname(file), target!),
  )

/** Each circle of a graph, as its sorted names. */
const circlesOf = (graph: ReadonlyMap<string, Iterable<string>>): string[][] => {
  const circles: string[][] = []
  const order = new Map<string, number>()
  const open: string[] = []
  /** Returns the number of the first open name that this one leads back to. */
  const visit = (name: string): number => {
    const number = order.size
    order.set(name, number)
    open.push(name)
    let first = number
    for (const target of graph.get(name)!) {
      if (!graph.has(target)) continue
      if (!order.has(target)) first = Math.min(first, visit(target))
      else if (open.includes(target)) first = Math.min(first, order.get(target)!)
    }
    if (first < number) return first
    const circle = open.splice(open.indexOf(name))
    if (circle.length > 1) circles.push(circle.sort())
    return first
  }
  for (const name of graph.keys()) if (!order.has(name)) visit(name)
  return circles
}

/** `sources` are the texts by their paths. */
export const importCircles = (sources: ReadonlyMap<string, string>): string[][] =>
  circlesOf(new Map([...sources].map(([file, text]) => [file, importsOf(file, text)])))

/** Circles among the folders of `parent`; files of `parent` itself may import all of them. */
export const folderCircles = (sources: ReadonlyMap<string, string>, parent: string): string[][] => {
  const graph = new Map<string, Set<string>>()
  for (const [file, text] of sources) {
    const folder = dirname(file)
    if (!folder.startsWith(`${parent}/`)) continue
    const targets = graph.get(folder) ?? new Set()
    for (const target of importsOf(file, text))
      if (dirname(target) !== folder) targets.add(dirname(target))
    graph.set(folder, targets)
  }
  return circlesOf(graph)
}

/**
 * Circles among folders that lie in one folder, each with all that lies below it. A folder's own files are not counted:
 * they put its parts together, and hold what its parts share.
 */
export const siblingCircles = (sources: ReadonlyMap<string, string>, part: string): string[][] => {
  const imports = [...sources]
    .filter(([file]) => file.startsWith(`${part}/`))
    .flatMap(([file, text]) => importsOf(file, text).map((target) => [file, target] as const))
  const graphs = new Map<string, Map<string, Set<string>>>()
  for (const [file, target] of imports)
    for (const at of parentsOf(file)) {
      const [from, to] = [partBelow(at, file), partBelow(at, target)]
      if (from === undefined || to === undefined || from === to) continue
      const graph = graphs.get(at) ?? new Map<string, Set<string>>()
      graphs.set(at, graph)
      for (const name of [from, to]) if (!graph.has(name)) graph.set(name, new Set())
      graph.get(from)!.add(to)
    }
  return [...graphs.values()].flatMap(circlesOf)
}

/** The folders that a file lies in, the innermost first. */
const parentsOf = (file: string): string[] => {
  const folder = dirname(file)
  return folder === '.' ? [] : [folder, ...parentsOf(folder)]
}

/** The folder directly below `parent` that a file lies in; undefined for files of `parent` itself, and of elsewhere. */
const partBelow = (parent: string, file: string): string | undefined => {
  if (!file.startsWith(`${parent}/`)) return undefined
  const end = file.indexOf('/', parent.length + 1)
  return end === -1 ? undefined : file.slice(0, end)
}
