// One agent for one data folder.
import { realpathSync } from 'node:fs'
import { StagelyError } from '../../src/kernel/errors.ts'
import { holdName } from './machine-name.ts'

/** Takes the folder, which must exist; Conflict when another agent has it. Returns release(). */
export const lockAgentDir = async (folder: string): Promise<() => Promise<void>> => {
  const release = await holdName('agent', realpathSync(folder))
  const message = `another agent runs on ${folder}; stop it, or give this one its own --data-dir`
  if (release === undefined) throw new StagelyError('Conflict', message)
  return release
}
