// Programs that refuse a value often quote a part of it: `invalid IP address: 10.1.2`. In what they say
// of a value that they were given, every word that is a part of it is hidden.
import { mark } from './masker.ts'

/** Shorter ones tell little, and are in many words. */
const shortest = 4

const word = /[^\s"'`,;:=/@()[\]{}<>]+/g

export const hideFragments = (text: string, values: readonly string[]): string => {
  const all = values.filter((value) => value.length >= shortest)
  if (all.length === 0) return text
  return text.replace(word, (found) => {
    // A point at the end may be that of the sentence.
    const bare = found.replace(/\.+$/, '')
    const isPart = bare.length >= shortest && all.some((value) => value.includes(bare))
    return isPart ? mark + found.slice(bare.length) : found
  })
}
