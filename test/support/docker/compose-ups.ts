import { readdir, readFile } from 'node:fs/promises'

/** Pids of `up` on this project, ours and no one else's: its random name is in their arguments. */
export const findUps = async (project: string): Promise<number[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  )
  return pids
    .filter((_, i) => lines[i]!.includes(project) && lines[i]!.includes('\0up\0'))
    .map(Number)
}
