// Finds the variables of the user's files that nothing sets and that are missed, and says what helps. Pure.
import { textsIn, variablesOfText } from '../../src/compose/variables.ts'
import { isForAll } from '../../src/secrets/place.ts'

/** A variable of a service's container. */
export interface VariableUse {
  readonly service: string
  readonly key: string
}

/** By variable of the files, the variables of containers that it sets; without variables that are used elsewhere as well. */
export type VariableUses = ReadonlyMap<string, readonly VariableUse[]>

interface Written {
  readonly services?: Readonly<Record<string, { readonly environment?: unknown } | null>>
}

const entriesOf = (environment: unknown): [key: string, text: string][] =>
  Array.isArray(environment)
    ? (environment as string[]).map((entry) => {
        const equals = entry.indexOf('=')
        return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)]
      })
    : Object.entries((environment ?? {}) as Record<string, unknown>).map(([key, value]) => [
        key,
        typeof value === 'string' ? value : '',
      ])

/** From the stack as written, before variables are set. */
export const findUses = (written: Written): VariableUses => {
  const places = new Map<string, VariableUse[]>()
  const rest: unknown[] = []
  for (const [service, fields] of Object.entries(written.services ?? {})) {
    const { environment, ...others } = fields ?? {}
    rest.push(others)
    for (const [key, text] of entriesOf(environment)) {
      rest.push(key)
      for (const name of variablesOfText(text))
        places.set(name, [...(places.get(name) ?? []), { service, key }])
    }
  }
  for (const text of textsIn([{ ...written, services: [] }, rest]))
    for (const name of variablesOfText(text)) places.delete(name)
  return places
}

/** The missed variables. One is not missed where secrets replace all variables of containers that it sets. */
export const missedAmong = (
  unset: readonly string[],
  uses: VariableUses,
  isSecret: (place: VariableUse) => boolean,
): string[] => unset.filter((name) => uses.get(name)?.every(isSecret) !== true)

/** A hint for a variable that Compose insists on and that is a secret, but not a global one. */
export const hintFor = (
  unset: readonly string[],
  secrets: readonly { readonly key: string; readonly scope: string; readonly type: string }[],
): string =>
  unset
    .map((name) => {
      const scopes = secrets
        .filter((one) => one.key === name && !isForAll(one) && one.type === 'env')
        .map(({ scope }) => scope)
      if (scopes.length === 0) return ''
      const who = [...new Set(scopes)].sort().join(', ')
      return `; only global secrets are filled in, and ${name} is one of ${who}, which gets it by itself: take \${${name}…} out of the file, or give it a default (\${${name}-})`
    })
    .join('')
