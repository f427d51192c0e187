// What runs on this machine, as /proc says; only what this user may see.
import { readdir, readFile } from 'node:fs/promises'

/** True while a process runs that has these words among its arguments, one after the other. */
export const isRunning = async (words: readonly string[]): Promise<boolean> => {
  const wanted = `\0${words.join('\0')}\0`
  const names = await readdir('/proc').catch(() => [])
  const lines = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      // It may have ended meanwhile.
      .map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  )
  return lines.some((line) => line.includes(wanted))
}
