// The words of what `stagely get` lists besides kinds. Alone, so that a list of a kind reads no more.
export const listedWords = ['users', 'teams', 'members', 'tokens', 'sessions'] as const

export type ListedWord = (typeof listedWords)[number]

/** `users` of `user`, `users` and `users/ann`; undefined: it is a kind. */
export const listedWordOf = (word: string): ListedWord | undefined =>
  listedWords.find((list) => [list, list.slice(0, -1)].includes(word.split('/')[0]!.toLowerCase()))
