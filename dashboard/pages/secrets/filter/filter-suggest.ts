// What a filter may go on with: names of the language, and values that there are. Pure.
import type { SecretRow } from '../../project/data.ts'
import { filterFlags, filterNames } from './filter.ts'

/** The word at the caret: where it begins, and what it is. */
const wordAt = (text: string, caret: number): { start: number; word: string } => {
  const start = text.slice(0, caret).search(/\S*$/)
  return { start, word: text.slice(start, caret) }
}

const most = 8

/** Values for each name, as they are asked for. */
export type ValuesOf = (name: string) => Iterable<string>

export const valuesIn =
  (rows: readonly SecretRow[], stagelets: readonly { readonly name: string }[]): ValuesOf =>
  (name) => {
    switch (name) {
      case 'is':
        return filterFlags
      case 'state':
        return ['current', 'behind', 'unknown', 'unseen']
      case 'type':
        return ['env', 'file']
      case 'stagelet':
        return stagelets.map((stagelet) => stagelet.name)
      case 'environment':
        return new Set(rows.flatMap(({ secret }) => secret.environments ?? []))
      case 'key':
        return new Set(rows.map(({ secret }) => secret.key))
      case 'scope':
        return new Set(rows.map(({ secret }) => secret.scope))
      case 'by':
        return new Set(rows.flatMap(({ secret }) => secret.updated_by ?? []))
      case 'owner':
        return new Set(rows.map(({ secret }) => secret.source))
      default:
        return []
    }
  }

const firstThat = (values: Iterable<string>, isWanted: (value: string) => boolean): string[] => {
  const found: string[] = []
  for (const value of values) {
    if (!isWanted(value)) continue
    found.push(value)
    if (found.length === most) break
  }
  return found
}

/** Words that can take the place of the one at the caret. */
export const suggest = (text: string, caret: number, valuesOf: ValuesOf): readonly string[] => {
  const { word } = wordAt(text, caret)
  const minus = word.startsWith('-') ? '-' : ''
  const plain = word.slice(minus.length)
  const colon = plain.indexOf(':')
  if (colon < 0)
    return Object.keys(filterNames)
      .filter((name) => name.startsWith(plain))
      .map((name) => `${minus}${name}:`)
  const name = plain.slice(0, colon)
  const part = plain.slice(colon + 1).toLowerCase()
  return firstThat(
    valuesOf(name),
    (value) =>
      value.toLowerCase().startsWith(part) && value.toLowerCase() !== part && !/\s/.test(value),
  ).map((value) => `${minus}${name}:${value}`)
}

/** The text with the word at the caret replaced, and where the caret is then. A whole word is followed by a space. */
export const complete = (
  text: string,
  caret: number,
  word: string,
): { readonly text: string; readonly caret: number } => {
  const { start } = wordAt(text, caret)
  const put = word.endsWith(':') ? word : `${word} `
  const rest = text.slice(caret).replace(/^\S*\s?/, '')
  return { text: `${text.slice(0, start)}${put}${rest}`, caret: start + put.length }
}
