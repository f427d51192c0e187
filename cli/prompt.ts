// Questions at a terminal. Asked on stderr, so that stdout stays what the command prints.
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { CliError, Exit, usageError } from './errors.ts'
import { note } from './print.ts'

/** True when there is somebody to ask. */
export const canAsk = (): boolean => process.stdin.isTTY && process.stderr.isTTY

const ask = (question: string, echo: boolean): Promise<string> =>
  new Promise((resolve, reject) => {
    const silent = new Writable({
      write: (_chunk, _encoding, done) => {
        done()
      },
    })
    const lines = createInterface({
      input: process.stdin,
      output: echo ? process.stderr : silent,
      terminal: !echo,
      // What is typed here is no history.
      historySize: 0,
    })
    // After the terminal has stopped showing what is typed: who sees the question may paste at once.
    process.stderr.write(question)
    let answered = false
    lines.once('line', (line) => {
      answered = true
      lines.close()
      if (!echo) process.stderr.write('\n')
      resolve(line)
    })
    lines.once('SIGINT', () => {
      lines.close()
    })
    lines.once('close', () => {
      if (answered) return
      process.stderr.write('\n')
      reject(new CliError('cancelled: nothing was changed'))
    })
  })

/** One line that is not shown while it is typed. */
export const askHidden = (question: string): Promise<string> => ask(question, false)

export const askLine = (question: string): Promise<string> => ask(question, true)

/** Ends the command with 1 unless the answer is yes; with 2 where there is nobody to ask. */
export const confirm = async (question: string, yes: boolean | undefined): Promise<void> => {
  if (yes === true) return
  if (!canAsk()) {
    throw usageError(`${question} Nobody can be asked here (no terminal): give --yes to go on`)
  }
  const answer = await ask(`${question} [y/N] `, true)
  if (/^y(es)?$/i.test(answer.trim())) return
  note('Nothing was changed.')
  throw new Exit(1)
}
