// Words that were commands. Each leads to the command of today for one release, and says so. Pure.

/** Both without `stagely`. Longer words stand before their beginnings. */
export const formerWords: readonly (readonly [was: string, now: string])[] = [
  ['leak-test', 'where --logs'],
  ['receipt get', 'report receipt -o json'],
  ['receipt exposure', 'report exposure -o json'],
  ['receipt verify', 'report verify'],
  ['compliance report', 'report compliance'],
  ['compliance verify', 'report verify'],
  ['access report', 'report access'],
]

/** The command of today, and the words that were replaced; undefined where nothing was. */
export const wordsOfToday = (
  argv: readonly string[],
): { readonly argv: readonly string[]; readonly was: string; readonly now: string } | undefined => {
  for (const [was, now] of formerWords) {
    const words = was.split(' ')
    if (words.every((word, i) => argv[i] === word))
      return { argv: [...now.split(' '), ...argv.slice(words.length)], was, now }
  }
  return undefined
}
