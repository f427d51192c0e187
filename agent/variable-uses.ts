// Variables of the user's files that nothing sets: which of them are missed, and what helps. Pure.
import { textsIn, variablesOfText } from '../src/compose/variables.ts'

/** A variable of a service's container. */
interface Place {
  readonly service: string
  readonly key: string
}

/** Variables of the files that only make variables of containers, and which; one used elsewhere is not in it. */
export type VariableUses = ReadonlyMap<string, readonly Place[]>

interface Written {
  readonly services?: Readonly<Record<string, { readonly environment?: unknown } | null>>
}

const entriesOf = (environment: unknown): [key: string, text: string][] =>
  Array.isArray(environment)
    ? (environment as string[]).map((entry) => {
        const at = entry.indexOf('=')
        return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)]
      })
    : Object.entries((environment ?? {}) as Record<string, unknown>).map(([key, value]) => [
        key,
        typeof value === 'string' ? value : '',
      ])

/** Of the stack as it is written, before variables are filled in. */
export const findUses = (written: Written): VariableUses => {
  const places = new Map<string, Place[]>()
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

/** Those that a container would get for nothing: where a secret takes every place of one, it is not missed. */
export const missedAmong = (
  unset: readonly string[],
  uses: VariableUses,
  isSecret: (place: Place) => boolean,
): string[] => unset.filter((name) => uses.get(name)?.every(isSecret) !== true)

/** What helps where Compose insists on a variable that is a secret, but not one for the files. */
export const hintFor = (
  unset: readonly string[],
  secrets: readonly { readonly key: string; readonly scope: string; readonly type: string }[],
): string =>
  unset
    .map((name) => {
      const scopes = secrets
        .filter(({ key, scope, type }) => key === name && scope !== 'global' && type === 'env')
        .map(({ scope }) => scope)
      if (scopes.length === 0) return ''
      const who = [...new Set(scopes)].sort().join(', ')
      return `; only global secrets are filled in, and ${name} is one of ${who}, which gets it by itself: take \${${name}…} out of the file, or give it a default (\${${name}-})`
    })
    .join('')
