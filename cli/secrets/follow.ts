// Which secrets follow which: the server says it, for each environment.
import { isReason } from '../../src/kernel/errors.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { statusOf } from '../../src/kinds/typed.ts'
import type { SecretLinks } from '../../src/generated/rest-types.ts'
import { secretPath, type RestClient } from '../connect/rest.ts'
import { NotStagely } from '../errors.ts'
import {
  flagsOf,
  placeText,
  secretIdentityOf,
  type SecretIdentity,
} from '../objects/secret-identity.ts'

type Link = SecretLinks['followers'][number]

/** Undefined where the server does not say: an older controller, a cluster's own API, or one that refuses the login. */
export const readLinks = async (
  rest: RestClient,
  secret: KubeObject,
): Promise<SecretLinks | undefined> => {
  const { project } = secretIdentityOf(secret)
  const path = `${secretPath(rest, project, secret.metadata.name)}/links`
  try {
    return (await rest.call<SecretLinks>(path)).body
  } catch (error) {
    if (isReason(error, 'NotFound') || isReason(error, 'Forbidden') || error instanceof NotStagely)
      return undefined
    throw error
  }
}

const joined = (texts: readonly string[]): string =>
  texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)!}`

const whereText = ({ environment, stagelet }: NonNullable<Link['only_in']>[number]): string => {
  if (stagelet !== undefined) return `in stagelet ${stagelet}`
  return environment === undefined ? 'in no environment' : `in ${environment}`
}

const linkText = (link: Link): string => {
  const only = link.only_in === undefined ? '' : `; only ${joined(link.only_in.map(whereText))}`
  return `${link.key} (${placeText(link)}${only})`
}

/** One line for people; undefined: nothing follows it. */
export const followersText = (links: SecretLinks | undefined): string | undefined => {
  if (links === undefined) return 'Which secrets follow it, this server does not say.'
  const elsewhere = links.followed_elsewhere ? ['what this login does not see'] : []
  const names = [...links.followers.map(linkText), ...elsewhere]
  if (names.length === 0) return undefined
  const [verb, whose] =
    names.length === 1 ? ['follows', 'its value changes'] : ['follow', 'their values change']
  return `${joined(names)} ${verb} it: ${whose} with it.`
}

/** The message for a value that would cut the secret off, with the commands for both ways out. */
export const cutText = (
  links: SecretLinks | undefined,
  object: KubeObject,
  namespace: string | undefined,
): string => {
  const secret = secretIdentityOf(object)
  const where = namespace === undefined ? '' : ` --namespace ${namespace}`
  const command = (one: Omit<SecretIdentity, 'project'>) =>
    `\n  stagely secrets set ${one.key} --project ${secret.project} ${flagsOf(one)}${where}`
  const { references = [] } = statusOf('StagelySecret', object)
  const followed = references.map((reference) => `\${${reference}}`).join(', ')
  const commands = [...(links?.refers_to ?? []).map(command), `${command(secret)} --detach`]
  return `${secret.key} follows ${followed || 'other secrets'}, and would follow no more: set what it follows, or give it a value of its own with --detach:${commands.join('')}`
}
