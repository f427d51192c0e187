// One question at a terminal before something is taken away, for every program. Asked on stderr, so that
// stdout stays what the command prints.
import { createInterface } from 'node:readline'

/** True when there is somebody to ask. */
export const canAsk = (): boolean => process.stdin.isTTY && process.stderr.isTTY

export interface Question {
  /** Such as `Delete project shop?` */
  readonly question: string
  /** What goes along, and what can be had back for how long; a line each. */
  readonly details?: readonly string[]
}

export type Answer = 'yes' | 'no' | 'nobody' | 'cancelled'

/** One line; undefined where it was interrupted. */
export const askLine = (question: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr, historySize: 0 })
    process.stderr.write(question)
    let answer: string | undefined
    lines.once('line', (line) => {
      answer = line
      lines.close()
    })
    lines.once('SIGINT', () => {
      lines.close()
    })
    lines.once('close', () => {
      if (answer === undefined) process.stderr.write('\n')
      resolve(answer)
    })
  })

/** Tells the details and asks. `nobody`: there is no terminal; nothing was asked. */
export const askToConfirm = async (
  { question, details = [] }: Question,
  say: (line: string) => void,
): Promise<Answer> => {
  for (const line of details) say(line)
  if (!canAsk()) return 'nobody'
  const answer = await askLine(`${question} [y/N] `)
  if (answer === undefined) return 'cancelled'
  return /^y(es)?$/i.test(answer.trim()) ? 'yes' : 'no'
}

/** Said where there is nobody to ask. */
export const nobodyToAsk = (question: string): string =>
  `${question} Nobody can be asked here (no terminal): give --yes to go on`
