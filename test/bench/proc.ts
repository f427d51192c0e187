// What the kernel counts of a process.
import { readFileSync } from 'node:fs'

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
