// Two texts, line by line: what is in both, what is gone, and what is new. For texts of some hundred lines. Pure.
export interface DiffLine {
  readonly kind: 'same' | 'gone' | 'new'
  readonly text: string
}

const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '')

/** How many lines the rests of both texts from there on have in common, in order. */
const commonIn = (a: readonly string[], b: readonly string[]): readonly number[][] => {
  const common = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0))
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) {
      const row = common[i]
      if (row !== undefined)
        row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  return common
}

export const lineDiff = (before: string, after: string): readonly DiffLine[] => {
  const [a, b] = [linesOf(before), linesOf(after)]
  const common = commonIn(a, b)
  const found: DiffLine[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    const [gone, came] = [a[i], b[j]]
    if (gone !== undefined && gone === came) {
      found.push({ kind: 'same', text: gone })
      i++
      j++
    } else if (
      gone !== undefined &&
      (came === undefined || (common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0))
    ) {
      found.push({ kind: 'gone', text: gone })
      i++
    } else {
      found.push({ kind: 'new', text: came ?? '' })
      j++
    }
  }
  return found
}
