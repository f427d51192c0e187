// Questions at a terminal. They go to stderr, so that stdout holds only the command's result.
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import {
  askLine as askShown,
  askToConfirm,
  nobodyToAsk,
  type Question,
} from '../src/kernel/confirm.ts'
import { CliError, Exit, usageError } from './errors.ts'
import { note } from './print.ts'

export { canAsk } from '../src/kernel/confirm.ts'

const cancelled = (): CliError => new CliError('cancelled: nothing was changed')

/** One line, without echo. */
export const askHidden = (question: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const silent = new Writable({
      write: (_chunk, _encoding, done) => done(),
    })
    // Typed secrets must not be in a history.
    const lines = createInterface({
      input: process.stdin,
      output: silent,
      terminal: true,
      historySize: 0,
    })
    // Printed after echo is off: a person may paste as soon as the question appears.
    process.stderr.write(question)
    let answered = false
    lines.once('line', (line) => {
      answered = true
      lines.close()
      process.stderr.write('\n')
      resolve(line)
    })
    lines.once('SIGINT', () => lines.close())
    lines.once('close', () => {
      if (answered) return
      process.stderr.write('\n')
      reject(cancelled())
    })
  })

export const promptLine = async (question: string): Promise<string> => {
  const line = await askShown(question)
  if (line === undefined) throw cancelled()
  return line
}

/** Ends the command with 1 unless the answer is yes; with 2 when there is no terminal. */
export const confirm = async (asked: Question, yes: boolean | undefined): Promise<void> => {
  if (yes === true) return
  const answer = await askToConfirm(asked, note)
  if (answer === 'yes') return
  if (answer === 'nobody') throw usageError(nobodyToAsk(asked))
  if (answer === 'cancelled') throw cancelled()
  note('Nothing was changed.')
  throw new Exit(1)
}
