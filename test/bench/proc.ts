// What the kernel counts of a process.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** MiB of a field such as VmRSS or VmHWM. */
export const memoryMb = (pid: number, field: string): number => {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? NaN) / 1024
}

/** CPU time of a process in ms, from the kernel's ticks of 10 ms. */
export const cpuMs = (pid: number): number => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** What a process has started and what still runs. The kernel keeps 15 bytes of a name. */
export const childrenOf = (pid: number): { readonly pid: number; readonly name: string }[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((id) => id !== '')
    .map((id) => ({
      pid: Number(id),
      name: readFileSync(`/proc/${id}/comm`, 'utf8').trim(),
    }))

export const parentOf = (pid: number): number => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
}

/** Until the process takes a twentieth of a core, over two seconds: how long that was (s). */
export const settled = async (pid: number): Promise<{ seconds: number; cpu: number }> => {
  const begun = performance.now()
  const before = cpuMs(pid)
  for (;;) {
    const then = cpuMs(pid)
    await sleep(2_000)
    const now = cpuMs(pid)
    if (now - then < 100)
      return { seconds: (performance.now() - begun) / 1_000 - 2, cpu: (then - before) / 1_000 }
  }
}
