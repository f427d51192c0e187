/** The properties that may be undefined become optional, and are never undefined. */
type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** A copy without the properties that are undefined: what is absent is left out, not written as such. */
export const defined = <T extends object>(properties: T): Defined<T> => {
  const kept: Record<string, unknown> = {}
  for (const name in properties) if (properties[name] !== undefined) kept[name] = properties[name]
  return kept as Defined<T>
}

type NotNull<T> = Defined<{
  [K in keyof T]: null extends T[K] ? NonNullable<T[K]> | undefined : T[K]
}>

/** The same for columns of the database, where NULL is absent too. */
export const notNull = <T extends object>(columns: T): NotNull<T> => {
  const kept = Object.entries(columns).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(kept) as NotNull<T>
}
