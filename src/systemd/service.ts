// Installs a service on the machine and removes it. Idempotent: a correct state is left alone, and only
// a changed service is restarted.
import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { messageOf, StagelyError } from '../kernel/errors.ts'
import { isThere } from '../kernel/private-folder.ts'
import { readIfThere, writeWhole } from '../kernel/whole-file.ts'
import { execProgram, type ExecResult } from '../process/exec.ts'

export const systemUnitDir = '/etc/systemd/system'

export interface ServiceFile {
  readonly path: string
  readonly content: string
  readonly mode: number
  /** True for a file that belongs to the operator once it exists: it is never overwritten. */
  readonly keep?: boolean
}

export interface Machine {
  /** True when systemd runs this machine. */
  readonly hasSystemd: () => Promise<boolean>
  readonly systemctl: (...args: readonly string[]) => Promise<ExecResult>
}

/** The machine that this process runs on. `path` is where systemctl is searched. */
export const thisMachine = (path: string): Machine => ({
  hasSystemd: () => isThere('/run/systemd/system'),
  systemctl: (...args) =>
    execProgram({ file: 'systemctl', args, cwd: '/', env: { PATH: path }, timeoutMs: 300_000 }),
})

export type Outcome = 'created' | 'changed' | 'unchanged' | 'kept'

/** What putFile() would do. */
export const outcomeOf = async (file: ServiceFile): Promise<Outcome> => {
  const before = await readIfThere(file.path)
  if (before === undefined) return 'created'
  if (file.keep === true) return 'kept'
  return before === file.content ? 'unchanged' : 'changed'
}

/** Writes the file atomically. Forbidden, with the remedy, when this user may not. */
export const putFile = async (file: ServiceFile): Promise<Outcome> => {
  const outcome = await outcomeOf(file)
  if (outcome === 'unchanged' || outcome === 'kept') return outcome
  try {
    await mkdir(dirname(file.path), { recursive: true, mode: 0o755 })
    await writeWhole(file.path, file.content, { mode: file.mode })
  } catch (error) {
    throw cannotWrite(file.path, error)
  }
  return outcome
}

const cannotWrite = (path: string, error: unknown): Error => {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const message = `cannot write ${path} (${code}): run it as root, or see what it would write with --dry-run`
    return new StagelyError('Forbidden', message, {}, error)
  }
  return new StagelyError('InternalError', `cannot write ${path}: ${messageOf(error)}`, {}, error)
}

const must = async (machine: Machine, ...args: string[]): Promise<void> => {
  const { exitCode, startError, stderr } = await machine.systemctl(...args)
  if (exitCode === 0) return
  const why = startError ?? stderr.trim()
  throw new StagelyError('InternalError', `systemctl ${args.join(' ')} failed: ${why}`)
}

/** Enables and starts the service; restarts it when its unit changed. Returns what was done. */
export const startService = async (
  machine: Machine,
  service: string,
  unit: Outcome,
): Promise<string> => {
  await must(machine, 'daemon-reload')
  await must(machine, 'enable', service)
  await must(machine, unit === 'changed' ? 'restart' : 'start', service)
  return unit === 'changed' ? 'restarted' : 'enabled and started'
}

/** Stops and disables the service, and removes its unit. False when there was no unit. */
export const removeService = async (
  machine: Machine,
  { service, unitPath, manage }: { service: string; unitPath: string; manage: boolean },
): Promise<boolean> => {
  if (!(await isThere(unitPath))) return false
  if (manage) await must(machine, 'disable', '--now', service)
  try {
    await rm(unitPath)
  } catch (error) {
    throw cannotWrite(unitPath, error)
  }
  if (manage) await must(machine, 'daemon-reload')
  return true
}
