// Turns a value in several places into one secret to which the other places refer. Pure.
import { isReadOnce } from '../../src/databases/read-once.ts'
import { minPatternBytes } from '../../src/masking/min-pattern-bytes.ts'
import { renderTemplate, parseTemplate } from '../../src/resources/kinds/value-template.ts'
import type { ComposeProject } from './compose-project.ts'
import { variableSource, type FoundSecret, type ProposedSecret } from './found-secret.ts'
import type { TextPart } from './interpolate.ts'
import { looksSecret, urlWithPassword } from '../../src/secrets/looks-secret.ts'

/** Each secret with its own value, or with a template that refers to others. */
export const shareValues = (
  { services }: Pick<ComposeProject, 'services'>,
  found: readonly FoundSecret[],
): ProposedSecret[] => {
  const compare = createOrder(services)
  const homes = homesOf(found, compare)
  const urls = firstOfEachUrl(found, compare)
  return found.flatMap((secret) => {
    const { source: _, parts, ...proposed } = secret
    const home = sourcesOf(secret)
      .flatMap((source) => homes.get(source) ?? [])
      .find((home) => isSame(home, secret) || mayRefer(secret, home))
    // The service sees the global secret with this key already.
    const referring = (kept: FoundSecret): ProposedSecret[] =>
      kept.scope === 'global' && kept.key === secret.key
        ? []
        : [{ ...proposed, value: referenceTo(kept), refersTo: [nameOf(kept)] }]
    if (home !== undefined && !isSame(home, secret)) return referring(home)
    const isMade = parts !== undefined && secret.source === undefined
    const pieces = isMade ? piecesOf(parts, homes) : piecesOfUrl(secret, homes)
    const template = templateOf(pieces, secret.value)
    const first = urls.get(secret.value)
    if (template === undefined && first !== undefined && !isSame(first, secret))
      return referring(first)
    return [{ ...proposed, ...template }]
  })
}

/** Two variables, and two keys of one service, are two secrets, also where their texts are equal today. */
const mayRefer = (secret: FoundSecret, home: FoundSecret): boolean => {
  if (secret.source !== undefined && secret.source === home.source) return true
  const areVariables = [secret, home].every(({ source = '' }) => source.startsWith('variable '))
  return !areVariables && secret.scope !== home.scope
}

const textSource = (value: string): string => `text ${value}`

/** The secret that keeps a value, by the value's source. */
type Homes = ReadonlyMap<string, FoundSecret>

/** Equal texts count as one value only for secrets: the name `postgres` may be a user and a host. */
const sourcesOf = ({ key, value, source }: FoundSecret): string[] => [
  ...(looksSecret(key, value) && !urlWithPassword.test(value) && value.length >= minPatternBytes
    ? [textSource(value)]
    : []),
  ...(source === undefined ? [] : [source]),
]

type Order = (a: ProposedSecret, b: ProposedSecret) => number

const homesOf = (found: readonly FoundSecret[], compare: Order): Homes => {
  const homes = new Map<string, FoundSecret>()
  for (const secret of found) {
    for (const source of sourcesOf(secret)) {
      const home = homes.get(source)
      if (home === undefined || compare(secret, home) < 0) homes.set(source, secret)
    }
  }
  return homes
}

/** By text: of equal URLs with a password, the one that comes first in `compare`. */
const firstOfEachUrl = (
  found: readonly FoundSecret[],
  compare: Order,
): ReadonlyMap<string, FoundSecret> => {
  const urls = found.filter(({ value }) => urlWithPassword.test(value))
  // The last one of a text stays in the map, so the first of `compare` comes last.
  return new Map(urls.sort((a, b) => compare(b, a)).map((secret) => [secret.value, secret]))
}

/**
 * Which of several secrets keeps the value: the global one; that of a database, as POSTGRES_PASSWORD; that of a service
 * after which the key is named, as REDIS_PASSWORD after the image of `cache`; that of the one that most others depend on.
 */
const createOrder = (services: ComposeProject['services']): Order => {
  const dependents = (scope: string): number =>
    services.filter(({ dependsOn }) => dependsOn.includes(scope)).length
  const isNamedAfter = ({ key, scope }: ProposedSecret): boolean => {
    const { image = '' } = services.find(({ name }) => name === scope) ?? {}
    const [program = ''] = (image.split('/').at(-1) ?? '').split(/[:@]/)
    const words = key.toLowerCase().split(/[^a-z0-9]+/)
    return [scope, program].some((name) => words.some((word) => isWordOf(word, name)))
  }
  return (a, b) => {
    const globals = Number(b.scope === 'global') - Number(a.scope === 'global')
    const database = Number(isReadOnce(b.key)) - Number(isReadOnce(a.key))
    const named = Number(isNamedAfter(b)) - Number(isNamedAfter(a))
    const order = globals || database || named || dependents(b.scope) - dependents(a.scope)
    return order || (nameOf(a) < nameOf(b) ? -1 : 1)
  }
}

/** `redis` and `rediscli` of `redis`; `mysql` of `mysql-server`. */
const isWordOf = (word: string, name: string): boolean => {
  const [first = ''] = name.toLowerCase().split(/[^a-z0-9]+/)
  return first.length >= 2 && word.startsWith(first)
}

const isSame = (a: ProposedSecret, b: ProposedSecret): boolean =>
  a.key === b.key && a.scope === b.scope

const nameOf = ({ key, scope }: ProposedSecret): string => `${scope}/${key}`

const referenceTo = (home: ProposedSecret): string => `\${${nameOf(home)}}`

/** A value in pieces: literal texts, and secrets whose values are inserted. */
type Pieces = readonly (string | FoundSecret)[]

/** The pieces of a value that the compose file makes of variables: `postgres://app:${PASSWORD}@db`. */
const piecesOf = (parts: readonly TextPart[], homes: Homes): Pieces =>
  parts.map(({ text, variable }) => {
    if (variable === undefined) return text
    return homes.get(variableSource(variable, text)) ?? homes.get(textSource(text)) ?? text
  })

/** The pieces of a URL whose password is another secret. */
const piecesOfUrl = ({ value }: FoundSecret, homes: Homes): Pieces => {
  const [, before = '', password = '', after = ''] = urlWithPassword.exec(value) ?? []
  const home = homes.get(textSource(password))
  return home === undefined ? [value] : [before, home, after]
}

const escaped = (text: string): string => text.replaceAll('${', () => '$${')

/** The fields of a secret that becomes a template; empty when the template would give another value. */
const templateOf = (
  pieces: Pieces,
  value: string,
): Pick<ProposedSecret, 'value' | 'refersTo'> | undefined => {
  const homes = pieces.filter((piece) => typeof piece !== 'string')
  let text = ''
  let literal = ''
  for (const piece of pieces) {
    if (typeof piece === 'string') literal += piece
    else {
      text += escaped(literal) + referenceTo(piece)
      literal = ''
    }
  }
  text += escaped(literal)
  const parsed = parseTemplate(Buffer.from(text))
  if (homes.length === 0 || typeof parsed === 'string') return undefined
  const filled = renderTemplate(
    parsed,
    homes.map((home) => Buffer.from(home.value)),
  )
  if (filled.toString() !== value || parsed.references.length !== homes.length) return undefined
  return { value: text, refersTo: [...new Set(homes.map(nameOf))] }
}
