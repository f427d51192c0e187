// Turns a value in several places into one secret to which the other places refer. Pure.
import { renderTemplate, parseTemplate } from '../../src/kinds/secret/value-template.ts'
import { isForAll } from '../../src/secrets/place.ts'
import type { ComposeProject } from './compose-project.ts'
import {
  nameOf,
  referenceTo,
  variableSource,
  type FoundSecret,
  type ProposedSecret,
} from './found-secret.ts'
import type { TextPart } from './interpolate.ts'
import { passwordPlaceOf } from './password-place.ts'
import { findSameValues, textSource, type SameValues } from './same-values.ts'
import { untiedAmong, type Untied } from './untied.ts'

interface Shared {
  /** Each secret with its own value, or with a template that refers to others. */
  readonly secrets: ProposedSecret[]
  readonly untied: readonly Untied[]
}

export const shareValues = (
  { services }: Pick<ComposeProject, 'services'>,
  found: readonly FoundSecret[],
): Shared => {
  const same = findSameValues(services, found)
  const logins = firstOfEachLogin(found, same)
  const tied = new Set<FoundSecret>()
  const secrets = found.flatMap((secret) => {
    const { source: _, parts: __, ...proposed } = secret
    // The service sees the global secret with this key already.
    const referring = (kept: FoundSecret): ProposedSecret[] => {
      tied.add(secret)
      return isForAll(kept) && kept.key === secret.key
        ? []
        : [{ ...proposed, value: referenceTo(kept), refersTo: [nameOf(kept)] }]
    }
    const home = same.homeOf(secret)
    if (home !== secret) return referring(home)
    const { pieces, isTied } = piecesOf(secret, same)
    const template = templateOf(pieces, secret.value)
    const first = logins.get(secret.value)
    if (template === undefined && first !== undefined && first !== secret) return referring(first)
    if (template !== undefined && isTied) tied.add(secret)
    return [{ ...proposed, ...template }]
  })
  return { secrets, untied: untiedAmong(services, found, { same, tied }) }
}

/** By text: of equal values with a password in them, the one that comes first. */
const firstOfEachLogin = (
  found: readonly FoundSecret[],
  { order }: SameValues,
): ReadonlyMap<string, FoundSecret> => {
  const logins = found.filter(({ value }) => passwordPlaceOf(value) !== undefined)
  // The last one of a text stays in the map, so the first of the order comes last.
  return new Map(logins.sort((a, b) => order(b, a)).map((secret) => [secret.value, secret]))
}

/** A value in pieces: literal texts, and secrets whose values are inserted. */
type Piece = string | FoundSecret

const textOf = (piece: Piece): string => (typeof piece === 'string' ? piece : piece.value)

/** What variables fill in, as the compose file says (`postgres://app:${PASSWORD}@db`), then the password of a login. */
const piecesOf = (
  secret: FoundSecret,
  same: SameValues,
): { pieces: readonly Piece[]; isTied: boolean } => {
  const { value, parts, source } = secret
  const isMade = parts !== undefined && source === undefined
  const pieces = isMade ? piecesOfParts(parts, same) : [value]
  const place = passwordPlaceOf(value)
  if (place === undefined) return { pieces, isTied: false }
  const home =
    same.homeOfLogin(place, place.password) ?? same.homeOfSource(textSource(place.password))
  let end = 0
  for (const [i, piece] of pieces.entries()) {
    const text = textOf(piece)
    const [from, start] = [place.before.length - end, place.before.length]
    end += text.length
    if (start + place.password.length > end) continue
    if (from < 0) break
    if (typeof piece !== 'string') return { pieces, isTied: true }
    if (home === undefined) break
    const cut = [text.slice(0, from), home, text.slice(from + place.password.length)]
    return { pieces: pieces.toSpliced(i, 1, ...cut), isTied: true }
  }
  return { pieces, isTied: false }
}

/** Texts that stand side by side are one piece. */
const piecesOfParts = (parts: readonly TextPart[], same: SameValues): Piece[] => {
  const pieces: Piece[] = []
  for (const { text, variable } of parts) {
    const home =
      variable === undefined
        ? undefined
        : (same.homeOfSource(variableSource(variable, text)) ?? same.homeOfSource(textSource(text)))
    const last = pieces.at(-1)
    if (home !== undefined) pieces.push(home)
    else if (typeof last === 'string') pieces[pieces.length - 1] = last + text
    else pieces.push(text)
  }
  return pieces
}

const escaped = (text: string): string => text.replaceAll('${', () => '$${')

/** The fields of a secret that becomes a template; empty when the template would give another value. */
const templateOf = (
  pieces: readonly Piece[],
  value: string,
): Pick<ProposedSecret, 'value' | 'refersTo'> | undefined => {
  const homes = pieces.filter((piece) => typeof piece !== 'string')
  const text = pieces
    .map((piece) => (typeof piece === 'string' ? escaped(piece) : referenceTo(piece)))
    .join('')
  const parsed = parseTemplate(Buffer.from(text))
  if (homes.length === 0 || typeof parsed === 'string') return undefined
  const filled = renderTemplate(
    parsed,
    homes.map((home) => Buffer.from(home.value)),
  )
  if (filled.toString() !== value || parsed.references.length !== homes.length) return undefined
  return { value: text, refersTo: [...new Set(homes.map(nameOf))] }
}
