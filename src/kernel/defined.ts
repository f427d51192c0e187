/** The properties that may be undefined become optional, and are never undefined. */
export type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** A copy without the properties that are undefined: what is absent is left out, not written as such. */
export const defined = <T extends object>(properties: T): Defined<T> => {
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(properties))
    if (value !== undefined) kept[name] = value
  return kept as Defined<T>
}
