// Names of the variables in the text of a compose file.

const expression = /\$\$|\$\{?([A-Za-z_][A-Za-z0-9_]*)/g

/** Each name once. `$$` is not a variable. */
export const variablesOfText = (text: string): string[] => [
  ...new Set(
    [...text.matchAll(expression)].flatMap(([, name]) => (name === undefined ? [] : [name])),
  ),
]

/** Every text in a JSON value. */
export function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value
  else if (Array.isArray(value)) for (const item of value) yield* textsIn(item)
  else if (typeof value === 'object' && value !== null) yield* textsIn(Object.values(value))
}
