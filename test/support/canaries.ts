// Values that occur nowhere else, each by its name, and the search for them in all that somebody gets.

/** Where a value begins within a text that was encoded as base64, three signs stand for it. */
const inBase64 = (value: Buffer): string[] =>
  [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), value])
      .toString('base64')
      .replace(/=+$/, '')
    const own = text.slice(before === 0 ? 0 : before + 1, -1)
    return [own, own.replaceAll('+', '-').replaceAll('/', '_')]
  })

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

/** As it is, in JSON, in JSON within JSON, in a URL, in base64 and in hex. */
const formsOf = (value: Buffer): string[] => {
  const text = value.toString('latin1')
  const hex = value.toString('hex')
  const forms = [text, inJson(text), inJson(inJson(text)), encodeURIComponent(text)]
  return [...new Set([...forms, ...inBase64(value), hex, hex.toUpperCase()])]
}

export interface Canaries {
  /** Plants nothing: from now on the value is looked for. */
  add(name: string, value: string | Buffer): void
  /** Names of those that are in the text, in any form. */
  in(text: string): string[]
}

export const createCanaries = (): Canaries => {
  const forms = new Map<string, readonly string[]>()
  return {
    add: (name, value) => {
      const bytes = Buffer.from(value)
      if (bytes.length < 16) throw new Error(`the canary ${name} is short: it is found by chance`)
      forms.set(name, formsOf(bytes))
    },
    in: (text) =>
      [...forms].flatMap(([name, own]) => (own.some((form) => text.includes(form)) ? [name] : [])),
  }
}
