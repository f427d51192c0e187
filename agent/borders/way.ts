// The way that a path takes over the machine: each link in it can be turned by whoever may write its folder.
import { readlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface Way {
  /** Where the links lie that the path leads through, with links before them followed. */
  readonly links: readonly string[]
  /** The path with all links followed; what does not exist is kept as it is. */
  readonly real: string
}

/** As many links as the kernel follows. */
const mostLinks = 40

const wordsOf = (path: string): string[] =>
  path.split('/').filter((word) => word !== '' && word !== '.')

/** `path` is absolute. `..` leads up from the target of a link, as in the kernel. */
export const wayOf = async (path: string): Promise<Way> => {
  const links: string[] = []
  const rest = wordsOf(path)
  let real = '/'
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const next = word === '..' ? dirname(real) : join(real, word)
    const target = await readlink(next).catch(() => undefined)
    if (target === undefined || links.length >= mostLinks) {
      real = next
      continue
    }
    links.push(next)
    rest.unshift(...wordsOf(target))
    if (target.startsWith('/')) real = '/'
  }
  return { links, real }
}
