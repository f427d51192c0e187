// What runs on this machine, as /proc says; only what this user may see.
import { readdir, readFile } from 'node:fs/promises'

export interface RunningProcess {
  readonly pid: number
  /** Since its start, whatever was done to the clock. */
  readonly ageMs: number
}

/** Of /proc/PID/stat, in hundredths of a second since the machine's start; a name may hold anything. */
const startOf = (stat: string): number =>
  Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) * 10

const read = (path: string): Promise<string> => readFile(path, 'utf8')

/** Processes that have these words among their arguments, one after the other. */
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
  // It may have ended meanwhile.
  return (await Promise.all(found.map((one) => one.catch(() => [])))).flat()
}
