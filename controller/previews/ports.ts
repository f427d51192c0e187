// Variables of a preview, with ports that nothing else on its machine has. Pure.
import { StagelyError } from '../../src/kernel/errors.ts'
import { filled, portRangeOf, portWordsOf } from '../../src/kinds/project/preview.ts'
import type { Typed } from '../../src/kinds/typed.ts'

const numbersIn = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number)

/** Ports that stagelets have, or may have: numbers in their variables, and what their containers publish. */
export const takenPorts = (stagelets: readonly Typed<'Stagelet'>[]): ReadonlySet<number> =>
  new Set(
    stagelets.flatMap(({ spec, status }) => [
      ...Object.values(spec.compose.values ?? {}).flatMap(numbersIn),
      ...(status?.services ?? []).flatMap(({ ports = [] }) => ports.flatMap(numbersIn)),
    ]),
  )

interface Filling {
  readonly words: Readonly<Record<string, string>>
  /** The variables as they are: a port stays. */
  readonly before: Readonly<Record<string, string>>
  readonly taken: ReadonlySet<number>
  /** From 0 to below 1. A chance port is seldom one that a program outside of Stagely has, and never the same one again. */
  readonly random: () => number
}

/** Conflict where no port is free. */
const freePort = (word: string, taken: ReadonlySet<number>, random: () => number): number => {
  const { from, to } = portRangeOf(word) ?? { from: 0, to: -1 }
  const size = to - from + 1
  const start = Math.floor(random() * size)
  for (let i = 0; i < size; i++) {
    const port = from + ((start + i) % size)
    if (!taken.has(port)) return port
  }
  throw new StagelyError(
    'Conflict',
    `no port of {${word}} is free on the machine: take a preview down, or widen the range in spec.preview.variables`,
  )
}

export const fillVariables = (
  variables: Readonly<Record<string, string>>,
  { words, before, taken, random }: Filling,
): Record<string, string> => {
  const used = new Set(taken)
  const isPort = (word: string): boolean => portRangeOf(word) !== undefined
  const kept = ([key, text]: [string, string]): string | undefined => {
    const former = before[key] ?? ''
    const [word] = portWordsOf(text)
    const { from, to } = portRangeOf(word ?? '') ?? { from: 1, to: 0 }
    const port = numbersIn(former).find(
      (number) =>
        number >= from &&
        number <= to &&
        filled(text, (w) => (isPort(w) ? String(number) : words[w])) === former,
    )
    if (port !== undefined) used.add(port)
    return port === undefined ? undefined : former
  }
  const entries = Object.entries(variables).map((entry) => ({ entry, former: kept(entry) }))
  return Object.fromEntries(
    entries.map(({ entry: [key, text], former }) => {
      const valueOf = (word: string): string | undefined => {
        if (!isPort(word)) return words[word]
        const port = freePort(word, used, random)
        used.add(port)
        return String(port)
      }
      return [key, former ?? filled(text, valueOf)]
    }),
  )
}
