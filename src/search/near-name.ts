// Finds the name that a misspelled one was probably meant to be.

/** The candidate within two edits of `name` (or equal but for case), nearest first; undefined when none is near. */
export const nearName = (name: string, candidates: Iterable<string>): string | undefined => {
  const scored = [...candidates]
    .filter((candidate) => Math.abs(candidate.length - name.length) <= 4)
    .map((candidate) => ({
      candidate,
      distance:
        candidate.toLowerCase() === name.toLowerCase() ? 0.5 : editDistance(name, candidate),
    }))
    .filter(({ distance }) => distance <= 2)
    .sort((a, b) => a.distance - b.distance)
  return scored[0]?.candidate
}

/** Levenshtein distance, one row at a time; two letters that changed places are one edit. */
const editDistance = (a: string, b: string): number => {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, charA] of Array.from(a).entries()) {
    const next = [i + 1]
    for (const [j, charB] of Array.from(b).entries()) {
      const edits = [next[j]! + 1, row[j + 1]! + 1, row[j]! + (charA === charB ? 0 : 1)]
      const swapped = i > 0 && j > 0 && charA === b[j - 1] && charB === a[i - 1]
      if (swapped) edits.push(before[j - 1]! + 1)
      next.push(Math.min(...edits))
    }
    before = row
    row = next
  }
  return row.at(-1)!
}

const mostShown = 20

/** The candidates for a message, with the nearest one: `preview, production; did you mean "preview"?` */
export const withHint = (name: string, candidates: readonly string[]): string => {
  const near = nearName(name, candidates)
  const all = candidates.slice(0, mostShown).join(', ')
  return near === undefined ? all : `${all}; did you mean "${near}"?`
}
