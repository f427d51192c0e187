// Duplicate fields of the objects in a JSON text. JSON.parse silently keeps the last one.

/** Limits of the result: a body may have very many duplicates, or very long names. */
export const mostNamed = 100
const longestPath = 256

/** An object or list that is open at the current position. */
interface Container {
  readonly path: string
  /** Number of occurrences of each key; undefined: a list. */
  readonly keys: Map<string, number> | undefined
  /** Step to the next value: `.key` or `[index]`; undefined when a key comes first. */
  step: string | undefined
  index: number
}

export const bounded = (path: string): string =>
  path.length > longestPath ? `${path.slice(0, longestPath - 1)}…` : path

const below = (path: string, step: string): string =>
  path.length < longestPath ? bounded(`${path}${step}`) : path

/** End of the string that begins at `start`: a quote after an even number of backslashes. */
const endOfString = (json: string, start: number): number => {
  for (let end = json.indexOf('"', start + 1); ; end = json.indexOf('"', end + 1)) {
    let before = end - 1
    while (json[before] === '\\') before--
    if ((end - before) % 2 === 1) return end
  }
}

const keyAt = (json: string, start: number, end: number): string => {
  const text = json.slice(start + 1, end)
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text
}

const opened = (char: string, parent: Container | undefined): Container => {
  const path = below(parent?.path ?? '', parent?.step ?? '')
  return char === '{'
    ? { path, keys: new Map(), step: undefined, index: 0 }
    : { path, keys: undefined, step: '[0]', index: 0 }
}

const goOn = (inner: Container): void => {
  inner.index++
  inner.step = inner.keys === undefined ? `[${inner.index}]` : undefined
}

/** Each duplicate once, as `spec.files[0].name`, in the order of the text. The text must be valid JSON. */
export const duplicateKeys = (json: string): string[] => {
  const found = new Set<string>()
  const outer: (Container | undefined)[] = []
  let inner: Container | undefined
  for (let at = 0; at < json.length && found.size < mostNamed; at++) {
    const char = json[at]!
    if (char === '{' || char === '[') {
      outer.push(inner)
      inner = opened(char, inner)
    } else if (char === '}' || char === ']') inner = outer.pop()
    else if (char === ',' && inner !== undefined) goOn(inner)
    else if (char === '"') {
      const end = endOfString(json, at)
      if (inner?.keys !== undefined && inner.step === undefined) {
        const key = keyAt(json, at, end)
        const times = (inner.keys.get(key) ?? 0) + 1
        inner.keys.set(key, times)
        inner.step = `.${bounded(key)}`
        if (times === 2) found.add(below(inner.path, inner.step).replace(/^\./, ''))
      }
      at = end
    }
  }
  return [...found]
}
