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
