// Rows as objects: a statement names its columns as the properties, and NULL is undefined.

export type RowOf<T> = {
  readonly [K in keyof T]: undefined extends T[K] ? Exclude<T[K], undefined> | null : T[K]
}

export const fromRow = <T extends object>(row: RowOf<T>): T =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value ?? undefined])) as T
