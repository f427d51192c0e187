// Which conditions of an object a person should read, whatever their types are: a controller may set ones that this
// build does not know. Pure.
import { conditionTypes } from '../../src/kinds/condition-types.ts'
import type { Polarity } from '../../src/resources/kind-names.ts'
import type { Condition } from '../../src/generated/rest-types.ts'
import type { StateKind } from './state-kind.ts'

/** A type has one polarity, whatever it is a condition of. */
const typesOf = (polarity: Polarity): ReadonlySet<string> =>
  new Set(
    Object.values(conditionTypes).flatMap((types) =>
      Object.keys(types).filter((type) => types[type] === polarity),
    ),
  )
const good = typesOf('good')
const neutral = typesOf('neutral')

const kinds: Readonly<Record<string, StateKind>> = {
  Accepted: 'fail',
  Degraded: 'fail',
  Ready: 'fail',
  Drifted: 'drift',
}

export const isTrouble = ({ type, status }: Condition): boolean =>
  !neutral.has(type) && status === (good.has(type) ? 'False' : 'True')

/** What a condition of this type is drawn as where it is a trouble. */
export const conditionKind = ({ type }: Pick<Condition, 'type'>): StateKind => kinds[type] ?? 'warn'

/** `ComposeFileChanged` as `Compose file changed`; what is to be true as `Not accepted`. */
export const conditionWords = ({ type }: Pick<Condition, 'type'>): string => {
  const words = type.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return good.has(type) ? `Not ${words.charAt(0).toLowerCase()}${words.slice(1)}` : words
}
