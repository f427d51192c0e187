// Asks one question at a terminal before a deletion. Shared by all programs. The question goes to
// stderr, so that stdout holds only the result of the command.
import { createInterface } from 'node:readline'

/** True when there is a terminal. */
export const canAsk = (): boolean => process.stdin.isTTY && process.stderr.isTTY

export interface Question {
  /** Such as `Delete project shop?` */
  readonly question: string
  /** What else is deleted, and for how long it can be restored; one line each. */
  readonly details?: readonly string[]
  /** Another way than --yes to go on where nobody can be asked, such as `or name the scope`. */
  readonly instead?: string
}

type ConfirmAnswer = 'yes' | 'no' | 'nobody' | 'cancelled'

/** Reads one line; undefined when the person interrupted. */
export const askLine = (question: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr, historySize: 0 })
    process.stderr.write(question)
    let answer: string | undefined
    lines.once('line', (line) => {
      answer = line
      lines.close()
    })
    lines.once('SIGINT', () => lines.close())
    lines.once('close', () => {
      if (answer === undefined) process.stderr.write('\n')
      resolve(answer)
    })
  })

/** Prints the details and asks. `nobody`: there is no terminal, and nothing was asked. */
export const askToConfirm = async (
  { question, details = [] }: Question,
  say: (line: string) => void,
): Promise<ConfirmAnswer> => {
  for (const line of details) say(line)
  if (!canAsk()) return 'nobody'
  const answer = await askLine(`${question} [y/N] `)
  if (answer === undefined) return 'cancelled'
  return /^y(es)?$/i.test(answer.trim()) ? 'yes' : 'no'
}

/** The error message when there is no terminal. */
export const nobodyToAsk = ({ question, instead }: Question): string =>
  `${question} Nobody can be asked here (no terminal): give --yes to go on${instead === undefined ? '' : `, ${instead}`}`
