// How well words fit the names of a thing. Pure: the controller's search and the dashboard's palette agree.

/** The words of a text that is searched for. */
export const wordsOf = (text: string): string[] => text.toLowerCase().split(/\s+/).filter(Boolean)

interface Names {
  /** What the thing is called. */
  readonly own: readonly string[]
  /** Where it is: its team, its project. */
  readonly others?: readonly string[]
}

const fitOfWord = (word: string, { own, others = [] }: Names): number | undefined => {
  const texts = own.map((text) => text.toLowerCase())
  if (texts.includes(word)) return 0
  if (texts.some((text) => text.startsWith(word))) return 1
  if (texts.some((text) => text.includes(word))) return 2
  return others.some((text) => text.toLowerCase().includes(word)) ? 3 : undefined
}

/** 0 is best; undefined where a word is nowhere. */
export const fitOf = (names: Names, words: readonly string[]): number | undefined => {
  let worst = 0
  for (const word of words) {
    const fit = fitOfWord(word, names)
    if (fit === undefined) return undefined
    worst = Math.max(worst, fit)
  }
  return worst
}

/** Those that fit, the best first; equally good ones in the order given. */
export const bestOf = <T>(
  items: Iterable<T>,
  words: readonly string[],
  namesOf: (item: T) => Names,
): T[] => {
  const found: { readonly fit: number; readonly item: T }[] = []
  for (const item of items) {
    const fit = fitOf(namesOf(item), words)
    if (fit !== undefined) found.push({ fit, item })
  }
  return found.sort((a, b) => a.fit - b.fit).map(({ item }) => item)
}
