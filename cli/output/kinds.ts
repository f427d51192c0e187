// Finds the registry's kinds by the words that people write.
import { kindNames } from '../../src/kinds/names.ts'
import type { KindNames } from '../../src/resources/kind-names.ts'
import { withHint } from '../../src/search/near-name.ts'
import { usageError } from '../errors.ts'

export interface KindTarget {
  readonly kind: KindNames
  /** Empty: every object of the kind. */
  readonly names: readonly string[]
}

const served = kindNames.filter((kind) => kind.internal !== true)

/** `secret` is accepted, because the meaning is clear here; kubectl uses it for its own kind. */
const nicknames: Record<string, string> = { secret: 'StagelySecret', secrets: 'StagelySecret' }

/** The kinds for a word: singular, plural, short name, kind, or a category. */
export const findKinds = (word: string): KindNames[] => {
  const lower = word.toLowerCase().replace(/\.stagely\.dev$/, '')
  const kind = served.find(
    (kind) =>
      [kind.kind.toLowerCase(), kind.plural, kind.singular, ...kind.shortNames].includes(lower) ||
      nicknames[lower] === kind.kind,
  )
  if (kind !== undefined) return [kind]
  const many = served.filter((kind) => kind.categories.includes(lower))
  if (many.length > 0) return many
  const plurals = [...served.map((kind) => kind.plural), ...Object.keys(nicknames)]
  throw usageError(`no kind is called "${word}"; known are: ${withHint(lower, plurals)}`)
}

const findKind = (word: string): KindNames => {
  const found = findKinds(word)
  if (found.length > 1) throw usageError(`"${word}" names several kinds; one is needed here`)
  return found[0]!
}

export const servedKind = (name: string): KindNames => {
  const kind = served.find((k) => k.kind === name)
  if (kind === undefined) throw usageError(`no kind is called "${name}"`)
  return kind
}

/** `stagelets`, `stagelets,secrets`, `stagelet a b`, `stagelet/a project/b`. */
export const parseTargets = (words: readonly string[]): KindTarget[] => {
  const [first, ...names] = words
  if (first === undefined) throw usageError('name a kind, such as "stagelets"')
  if (words.some((word) => word.includes('/'))) {
    return words.map((word) => {
      const [kind = '', name = ''] = word.split('/')
      if (kind === '' || name === '') throw usageError(`"${word}" is not KIND/NAME; all must be`)
      return { kind: findKind(kind), names: [name] }
    })
  }
  const found = [...new Set(first.split(',').flatMap(findKinds))]
  if (names.length > 0 && found.length > 1) throw usageError('names go with one kind only')
  return found.map((kind) => ({ kind, names }))
}

/** For commands on one kind: `shop`, or `stagelet/shop` as in other commands. */
export const nameOf = (kind: KindNames, word: string): string => {
  if (!word.includes('/')) return word
  const [target] = parseTargets([word])
  if (target?.kind !== kind) throw usageError(`"${word}" is no ${kind.singular}; name one`)
  return target.names[0]!
}

/** `stagelet.stagely.dev/shop`, as `-o name` and apply print it. */
export const fullName = (kind: KindNames, name: string): string =>
  `${kind.singular}${kind.group === '' ? '' : `.${kind.group}`}/${name}`

/** `stagelet.stagely.dev "shop"`, as delete prints it. */
export const quotedName = (kind: KindNames, name: string): string =>
  `${kind.singular}${kind.group === '' ? '' : `.${kind.group}`} "${name}"`
