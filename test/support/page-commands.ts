// The commands of a page of the documents, so that a test runs them as they are written, and compares what they print.
import { readFileSync } from 'node:fs'

export interface PageCommand {
  /** As the page has it. */
  readonly line: string
  /** Behind `stagely`. */
  readonly args: readonly string[]
  /** What `echo` or `printf` gives to it. */
  readonly input: string
}

export interface PageBlock {
  readonly commands: readonly PageCommand[]
  /** What the page shows below, in a block of `text`: all that the commands print. */
  readonly output: string | undefined
}

const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|'([^']*)'|([^\s"']+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  )

const inputOf = (before: string): string => {
  const [program, ...words] = wordsOf(before)
  if (program === undefined) return ''
  return program === 'echo' ? `${words.join(' ')}\n` : words.join(' ')
}

const commandOf = (line: string): PageCommand => {
  const [, before = '', words = ''] = /^(?:(.*?) \| )?stagely (.*)$/.exec(line) ?? []
  return { line, args: wordsOf(words), input: inputOf(before) }
}

/** Blocks of `sh`, without comments. */
export const pageBlocks = (page: string): PageBlock[] => {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  return [...text.matchAll(/```sh\n([^`]*)```(?:\n\n```text\n([^`]*)```)?/g)].map(
    ([, block = '', output]) => ({
      commands: block
        .trim()
        .split('\n')
        .map((line) => commandOf(line.replace(/\s+#.*/, ''))),
      output,
    }),
  )
}

/** Times are those of another day. */
export const withoutTimes = (text: string): string =>
  text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '2026-01-31T12:00:00Z')
