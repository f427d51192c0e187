// A program that refuses a value often quotes a part of it: `invalid IP address: 10.1.2`. In a
// program's message about a value, every word that is a part of the value is hidden.
import { mark } from './masker.ts'

/** Shorter parts reveal little, and occur in many words. */
const shortest = 4

const word = /[^\s"'`,;:=/@()[\]{}<>]+/g

export const hideFragments = (text: string, values: readonly string[]): string => {
  const all = values.filter((value) => value.length >= shortest)
  if (all.length === 0) return text
  return text.replace(word, (found) => {
    // A full stop may end the sentence and not belong to the value.
    const bare = found.replace(/\.+$/, '')
    const isPart = bare.length >= shortest && all.some((value) => value.includes(bare))
    return isPart ? mark + found.slice(bare.length) : found
  })
}
