// Turns a value in several places into one secret to which the other places refer. Pure.
import { minPatternBytes } from '../../src/masking/patterns.ts'
import { renderTemplate, parseTemplate } from '../../src/resources/value-template.ts'
import type { ComposeProject } from './compose-project.ts'
import {
  looksSecret,
  urlWithPassword,
  type FoundSecret,
  type ProposedSecret,
} from './found-secret.ts'

/** Each secret with its own value, or with a template that refers to others. */
export const shareValues = (
  { services, variables }: ComposeProject,
  found: readonly FoundSecret[],
): ProposedSecret[] => {
  const dependents = (scope: string): number =>
    services.filter(({ dependsOn }) => dependsOn.includes(scope)).length
  const homes = homesOf(found, dependents)
  const urls = firstOfEachUrl(found, dependents)
  return found.flatMap((secret) => {
    const { source: _, written, ...proposed } = secret
    const home = sourcesOf(secret).flatMap((source) => homes.get(source) ?? [])[0]
    // The service sees the global secret with this key already.
    const referring = (kept: FoundSecret): ProposedSecret[] =>
      kept.scope === 'global' && kept.key === secret.key
        ? []
        : [{ ...proposed, value: referenceTo(kept), refersTo: [nameOf(kept)] }]
    if (home !== undefined && !isSame(home, secret)) return referring(home)
    const pieces =
      written === undefined ? piecesOfUrl(secret, homes) : piecesOf(written, variables, homes)
    const template = templateOf(pieces, secret.value)
    const first = urls.get(secret.value)
    if (template === undefined && first !== undefined && !isSame(first, secret))
      return referring(first)
    return [{ ...proposed, ...template }]
  })
}

/** The source id of a variable's value. */
export const variableSource = (name: string): string => `variable ${name}`

const textSource = (value: string): string => `text ${value}`

/** The secret that keeps a value, by the value's source. */
type Homes = ReadonlyMap<string, FoundSecret>

/** Equal texts count as one value only for secrets: the name `postgres` may be a user and a host. */
const sourcesOf = ({ key, value, source }: FoundSecret): string[] => [
  ...(looksSecret(key) && value.length >= minPatternBytes ? [textSource(value)] : []),
  ...(source === undefined ? [] : [source]),
]

const homesOf = (found: readonly FoundSecret[], dependents: (scope: string) => number): Homes => {
  const homes = new Map<string, FoundSecret>()
  for (const secret of found) {
    for (const source of sourcesOf(secret)) {
      const known = homes.get(source)
      if (known === undefined || compare(secret, known, dependents) < 0) homes.set(source, secret)
    }
  }
  return homes
}

/** By text: the first URL of those with an equal password that is no secret of its own. */
const firstOfEachUrl = (
  found: readonly FoundSecret[],
  dependents: (scope: string) => number,
): ReadonlyMap<string, FoundSecret> => {
  const urls = found.filter(({ value }) => urlWithPassword.test(value))
  return new Map(
    urls.sort((a, b) => compare(b, a, dependents)).map((secret) => [secret.value, secret]),
  )
}

/**
 * Global secrets first, then those of the service that most others depend on: the database keeps its
 * password.
 */
const compare = (
  a: ProposedSecret,
  b: ProposedSecret,
  dependents: (scope: string) => number,
): number => {
  const globals = Number(b.scope === 'global') - Number(a.scope === 'global')
  const order = globals || dependents(b.scope) - dependents(a.scope)
  return order || (nameOf(a) < nameOf(b) ? -1 : 1)
}

const isSame = (a: ProposedSecret, b: ProposedSecret): boolean =>
  a.key === b.key && a.scope === b.scope

const nameOf = ({ key, scope }: ProposedSecret): string => `${scope}/${key}`

const referenceTo = (home: ProposedSecret): string => `\${${nameOf(home)}}`

/** A value in pieces: literal texts, and secrets whose values are inserted. */
type Pieces = readonly (string | FoundSecret)[]

const expression =
  /\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::?[-?][^{}]*)?\}|\$([A-Za-z_][A-Za-z0-9_]*)/g

/** The pieces of a text in the compose file: `postgres://app:${PASSWORD}@db`. */
const piecesOf = (
  written: string,
  variables: ReadonlyMap<string, string>,
  homes: Homes,
): Pieces => {
  const pieces: (string | FoundSecret)[] = []
  let from = 0
  for (const { 0: match, 1: braced, 2: bare, index } of written.matchAll(expression)) {
    const name = braced ?? bare
    const value = name === undefined ? '$' : (variables.get(name) ?? '')
    const home = homes.get(variableSource(name ?? '')) ?? homes.get(textSource(value))
    pieces.push(written.slice(from, index), home ?? value)
    from = index + match.length
  }
  return [...pieces, written.slice(from)]
}

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
