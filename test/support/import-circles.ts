// Circles among files that import each other; imports of types count.
import { dirname, posix } from 'node:path'

const importsOf = (file: string, text: string): string[] =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.\.?\/[^']+)'/g)].map(([, target]) =>
    posix.join(dirname(file), target!),
  )

/** Each circle as its sorted files. `sources` are the texts by their paths. */
export const importCircles = (sources: ReadonlyMap<string, string>): string[][] => {
  const circles: string[][] = []
  const order = new Map<string, number>()
  const open: string[] = []
  /** Returns the place in `open` of the first file that the imports of this one lead back to. */
  const visit = (file: string): number => {
    const place = order.size
    order.set(file, place)
    open.push(file)
    let first = place
    for (const target of importsOf(file, sources.get(file)!)) {
      if (!sources.has(target)) continue
      if (!order.has(target)) first = Math.min(first, visit(target))
      else if (open.includes(target)) first = Math.min(first, order.get(target)!)
    }
    if (first < place) return first
    const circle = open.splice(open.indexOf(file))
    if (circle.length > 1) circles.push(circle.sort())
    return first
  }
  for (const file of sources.keys()) if (!order.has(file)) visit(file)
  return circles
}
