// Folders on the machines of agents, by their names alone: the agent follows links. Pure.

/** Without dots and double slashes. A relative path is below `base`. */
export const resolvedPath = (path: string, base = '/'): string => {
  const parts: string[] = []
  for (const part of (path.startsWith('/') ? path : `${base}/${path}`).split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

/** True for the folder itself, too. */
export const liesBelow = (path: string, folder: string): boolean => {
  const [inner, outer] = [resolvedPath(path), resolvedPath(folder)]
  return outer === '/' || inner === outer || inner.startsWith(`${outer}/`)
}

/** What lies below a folder of each list. */
export const commonFolders = (a: readonly string[], b: readonly string[]): string[] => [
  ...a.filter((path) => b.some((folder) => liesBelow(path, folder))),
  ...b.filter((path) => !a.includes(path) && a.some((folder) => liesBelow(path, folder))),
]

/**
 * Paths in a text that fills a variable of a Compose file, with which a service may mount or read them. One that stays
 * below its folder leads nowhere.
 */
export const pathsInText = (text: string): string[] =>
  text.split(/[\s:,;"'=]+/).filter((part) => part.startsWith('/') || part.split('/').includes('..'))
