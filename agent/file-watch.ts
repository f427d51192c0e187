// Tells that a file of the user's was written, came or went. A hint only: what has changed is found by
// looking, and where a folder cannot be watched, at the next look.
import { watch, type FSWatcher } from 'node:fs'
import { basename, dirname } from 'node:path'

export interface FileWatch {
  /** Of these files from now on: absolute paths, there or not. */
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
      watcher.on('error', () => {
        close(folder)
      })
      watchers.set(folder, watcher)
    } catch {
      // It is not there, or the machine has no watches left.
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
