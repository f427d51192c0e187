// Runs the programs of this folder, and prints a fault that people can mend as one sentence.
import { messageOf, isReason, StagelyError } from '../../src/kernel/errors.ts'
import { RefusedByController } from '../link/controller-client.ts'

export const printLine = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

export const printNote = (text: string): void => {
  process.stderr.write(`${text}\n`)
}

/** Runs `body`; its result is the exit code: 0 done, 1 failed, 2 wrong usage. */
export const runProgram = async (
  name: string,
  usage: string,
  body: () => Promise<number | 'help'>,
): Promise<number> => {
  try {
    const code = await body()
    if (code !== 'help') return code
    process.stdout.write(usage)
    return 0
  } catch (error) {
    if (isReason(error, 'BadRequest')) {
      process.stderr.write(`${error.message}\n\n${usage}`)
      return 2
    }
    const isOurs = error instanceof StagelyError || error instanceof RefusedByController
    printNote(`stagely agent ${name}: ${isOurs ? error.message : messageOf(error)}`)
    return 1
  }
}
