// Watches the user's files. An event is only a hint to look; where a folder cannot be watched, a change is found at the
// next look.
import { watch, type FSWatcher } from 'node:fs'
import { basename, dirname } from 'node:path'

interface FileWatch {
  /** Watches these files from now on: absolute paths, also of missing files. */
  readonly follow: (paths: readonly string[]) => void
  readonly stop: () => void
}

export const createFileWatch = (onChange: () => void): FileWatch => {
  const watchers = new Map<string, FSWatcher>()
  let named = new Set<string>()

  const open = (folder: string): void => {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name === null || named.has(name)) onChange()
      })
      watcher.on('error', () => close(folder))
      watchers.set(folder, watcher)
    } catch {
      // The folder is missing, or the machine has no watches left.
    }
  }
  const close = (folder: string): void => {
    watchers.get(folder)?.close()
    watchers.delete(folder)
  }

  return {
    follow: (paths) => {
      named = new Set(paths.map((p) => basename(p)))
      const folders = new Set(paths.map((p) => dirname(p)))
      for (const folder of [...watchers.keys()].filter((f) => !folders.has(f))) close(folder)
      for (const folder of folders) if (!watchers.has(folder)) open(folder)
    },
    stop: () => {
      for (const folder of [...watchers.keys()]) close(folder)
    },
  }
}
