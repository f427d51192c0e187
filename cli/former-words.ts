// Words that were commands. Each leads to the command of today for one release, and says so. Pure.

interface Former {
  /** Both without `stagely`. */
  readonly was: string
  readonly now: string
  /** In place of `now` where a format is asked for. */
  readonly withFormat?: string
}

/** Longer words stand before their beginnings. */
export const formerWords: readonly Former[] = [
  { was: 'leak-test', now: 'where --logs' },
  { was: 'receipt get', now: 'report receipt -o json' },
  { was: 'receipt exposure', now: 'report exposure -o json' },
  { was: 'receipt verify', now: 'report verify' },
  { was: 'compliance report', now: 'report compliance' },
  { was: 'compliance verify', now: 'report verify' },
  { was: 'access report', now: 'report access' },
  { was: 'secrets compare', now: 'secrets diff' },
  { was: 'stores list', now: 'get secretstores' },
  { was: 'stores show', now: 'describe secretstore', withFormat: 'get secretstore' },
  { was: 'rotation list', now: 'get rotations' },
  { was: 'rotation show', now: 'describe rotation', withFormat: 'get rotation' },
  { was: 'agent list', now: 'get agents' },
  { was: 'agent rotate-keys', now: 'admin agent-keys' },
  { was: 'stagelet extend', now: 'preview extend' },
  { was: 'user list', now: 'get users' },
  { was: 'user disable', now: 'admin user update --disabled' },
  { was: 'user enable', now: 'admin user update --no-disabled' },
  { was: 'team list', now: 'get teams' },
  { was: 'team members', now: 'get members --team' },
  { was: 'team set-role', now: 'admin team add' },
  { was: 'token list', now: 'get tokens' },
  { was: 'sessions list', now: 'get sessions' },
  { was: 'context list', now: 'context' },
  { was: 'context use', now: 'context' },
  { was: 'context rename', now: 'context --rename' },
  ...['user', 'team', 'audit', 'keys', 'backup', 'upgrade', 'adopt', 'slo', 'support-bundle'].map(
    (word) => ({
      was: word,
      now: `admin ${word}`,
    }),
  ),
]

const isFormat = (word: string): boolean => /^(-o|--output)/.test(word)

/** The command of today, and the words that were replaced; undefined where nothing was. */
export const wordsOfToday = (
  argv: readonly string[],
): { readonly argv: readonly string[]; readonly was: string; readonly now: string } | undefined => {
  for (const { was, now: usual, withFormat = usual } of formerWords) {
    const words = was.split(' ')
    if (!words.every((word, i) => argv[i] === word)) continue
    const rest = argv.slice(words.length)
    const now = rest.some(isFormat) ? withFormat : usual
    return { argv: [...now.split(' '), ...rest], was, now }
  }
  return undefined
}
