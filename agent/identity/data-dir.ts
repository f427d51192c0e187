// The agent's data folder. It holds the keys, so that nobody else may own or enter it, and no other agent may run on it.
import { realpathSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { messageOf, StagelyError } from '../../src/kernel/errors.ts'
import { makePrivate } from '../../src/kernel/private-folder.ts'
import { holdName } from './machine-name.ts'

const ourNames = new Set([
  'identity.json',
  'joining.json',
  'join',
  'state.json',
  'files',
  'buildx',
  'compose.sock',
])

/** Makes the folder, or closes it to others; returns whether it was open to others. BadRequest where another user owns it. */
export const prepareAgentDir = async (dir: string): Promise<boolean> => {
  const owner = await stat(dir).then(
    ({ uid }) => uid,
    () => undefined,
  )
  const own = process.geteuid?.()
  if (owner !== undefined && own !== undefined && owner !== own)
    throw new StagelyError(
      'BadRequest',
      `--data-dir ${dir} belongs to user ${owner}, who could read and change the agent's keys: run the agent as that user, or give the folder to user ${own} (chown -R ${own} ${dir})`,
    )
  try {
    return await makePrivate(dir, ourNames)
  } catch (error) {
    if (error instanceof StagelyError) throw error
    throw new StagelyError(
      'BadRequest',
      `--data-dir ${dir} cannot be used: ${messageOf(error)}; run this as root, or name a folder of this user`,
    )
  }
}

/** Takes the folder, which must exist; Conflict when another agent has it. Returns release(). */
export const lockAgentDir = async (folder: string): Promise<() => Promise<void>> => {
  const release = await holdName('agent', realpathSync(folder))
  const message = `another agent runs on ${folder}; stop it, or give this one its own --data-dir`
  if (release === undefined) throw new StagelyError('Conflict', message)
  return release
}
