// Flags that name paths. What a flag names is handed on to programs that work in other folders: Compose, a service.
import { resolve } from 'node:path'

/** The path as seen from anywhere. An empty text, and - for standard input, are none. */
const wholePath = (path: string): string => (path === '' || path === '-' ? path : resolve(path))

/** The words of a command with whole paths after these flags (`--data-dir DIR`, `--data-dir=DIR`). */
export const withWholePaths = (argv: readonly string[], flags: readonly string[]): string[] =>
  argv.map((word, i) => {
    if (flags.includes(argv[i - 1] ?? '')) return wholePath(word)
    const [name = '', path] = word.split(/=(.*)/s)
    return path !== undefined && flags.includes(name) ? `${name}=${wholePath(path)}` : word
  })
