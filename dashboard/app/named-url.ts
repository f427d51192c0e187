// Addresses of pages have names; one with the id of an object in place of its name leads there as well. Pure.
const pattern = /^\/ui\/t\/[^/?]+\/([psa])\/((?:proj|stg|agt)_[0-9a-z]{25})(?=[/?]|$)/

export interface AskedById {
  /** The letter of its kind in addresses: a project, a stagelet, an agent. */
  readonly kind: 'p' | 's' | 'a'
  readonly id: string
  /** What comes after the id. */
  readonly rest: string
}

/** undefined: the address has a name. */
export const askedById = (url: string): AskedById | undefined => {
  const [all, kind, id] = pattern.exec(url) ?? []
  if (all === undefined || id === undefined) return undefined
  return { kind: kind as AskedById['kind'], id, rest: url.slice(all.length) }
}

export const namedUrl = (
  { kind, rest }: AskedById,
  { team, name }: { readonly team: string; readonly name: string },
): string => `/ui/t/${team}/${kind}/${name}${rest}`
