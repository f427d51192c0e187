// Processes of this machine, read from /proc; only those that this user may see.
import { readdir, readFile } from 'node:fs/promises'

interface RunningProcess {
  readonly pid: number
  /** Time since the process started, in ms. Not affected by changes of the system clock. */
  readonly ageMs: number
}

/**
 * Start time from /proc/PID/stat, in hundredths of a second after the machine's start. The process
 * name, in brackets, may hold any character.
 */
const startOf = (stat: string): number =>
  Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) * 10

const read = (path: string): Promise<string> => readFile(path, 'utf8')

/** Processes with these words among their arguments, one after the other. */
export const findRunning = async (words: readonly string[]): Promise<RunningProcess[]> => {
  const wanted = `\0${words.join('\0')}\0`
  const names = await readdir('/proc').catch(() => [])
  const found = names
    .filter((name) => /^\d+$/.test(name))
    .map(async (pid) => {
      if (!(await read(`/proc/${pid}/cmdline`)).includes(wanted)) return []
      const [uptime, stat] = await Promise.all([read('/proc/uptime'), read(`/proc/${pid}/stat`)])
      return [{ pid: Number(pid), ageMs: parseFloat(uptime) * 1000 - startOf(stat) }]
    })
  // A process may end while it is read.
  return (await Promise.all(found.map((listing) => listing.catch(() => [])))).flat()
}
