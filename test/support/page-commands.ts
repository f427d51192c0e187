// The commands of a page of the documents, so that a test runs them as they are written.
import { readFileSync } from 'node:fs'

export interface PageCommand {
  /** As the page has it. */
  readonly line: string
  /** Behind `stagely`. */
  readonly args: readonly string[]
  /** What `echo` or `printf` gives to it. */
  readonly input: string
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

/** Of blocks of `sh`, without comments. */
export const pageCommands = (page: string): PageCommand[] => {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  return [...text.matchAll(/```sh\n([^`]*)```/g)]
    .flatMap(([, block = '']) => block.trim().split('\n'))
    .map((line) => line.replace(/\s+#.*/, ''))
    .map((line) => {
      const [, before = '', words = ''] = /^(?:(.*?) \| )?stagely (.*)$/.exec(line) ?? []
      return { line, args: wordsOf(words), input: inputOf(before) }
    })
}
