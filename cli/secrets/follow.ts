// Which secrets follow which, by the references of their newest values.
import { targetOf } from '../../src/secrets/references.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import {
  flagsOf,
  namedSecret,
  placeText,
  type NamedSecret,
  type StoredSecrets,
} from './identity.ts'

type Stored = Pick<StoredSecrets, 'inProject'>

/** Those that the references of the secret mean: of the named scope, else global. */
const followedIn = (all: readonly NamedSecret[], secret: NamedSecret): NamedSecret[] =>
  secret.references.flatMap((reference) => {
    const { scope, key } = targetOf(secret, reference)
    const ofKey = all.filter((other) => other.key === key)
    const own = ofKey.filter((other) => other.scope === scope)
    return own.length > 0 ? own : ofKey.filter((other) => other.scope === 'global')
  })

/** Those whose values change with that of the secret, also by way of others. */
const followersIn = (all: readonly NamedSecret[], { name }: NamedSecret): NamedSecret[] => {
  const followed = all.map((other) => ({
    other: other.name,
    names: followedIn(all, other).map((one) => one.name),
  }))
  const found = new Set([name])
  for (const one of found)
    for (const { other, names } of followed) if (names.includes(one)) found.add(other)
  return all.filter((other) => other.name !== name && found.has(other.name))
}

const joined = (texts: readonly string[]): string =>
  texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)!}`

/** One line for people; undefined: nothing follows it. */
export const followersText = (stored: Stored, object: KubeObject): string | undefined => {
  const secret = namedSecret(object)
  const followers = followersIn(stored.inProject(secret.project), secret)
  if (followers.length === 0) return undefined
  const [verb, whose] =
    followers.length === 1 ? ['follows', 'its value changes'] : ['follow', 'their values change']
  const names = followers.map((one) => `${one.key} (${placeText(one)})`)
  return `${joined(names)} ${verb} it: ${whose} with it.`
}

/** The message for a value that would cut the secret off, with the commands for both ways out. */
export const cutText = (
  stored: Stored,
  object: KubeObject,
  namespace: string | undefined,
): string => {
  const secret = namedSecret(object)
  const where = namespace === undefined ? '' : ` --namespace ${namespace}`
  const command = (one: NamedSecret): string =>
    `\n  stagely secrets set ${one.key} --project ${one.project} ${flagsOf(one)}${where}`
  const followed = secret.references.map((reference) => `\${${reference}}`).join(', ')
  const targets = followedIn(stored.inProject(secret.project), secret)
  const commands = [...new Set(targets.map(command)), `${command(secret)} --detach`]
  return `${secret.key} follows ${followed || 'other secrets'}, and would follow no more: set what it follows, or give it a value of its own with --detach:${commands.join('')}`
}
