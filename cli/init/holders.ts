// Which of several secrets with one value keeps it. Pure.
import { programOf, readsVariable } from '../../src/databases/image-variables.ts'
import { isReadOnce } from '../../src/databases/read-once.ts'
import { variablesOfText } from '../../src/compose/variables.ts'
import { isForAll } from '../../src/secrets/place.ts'
import type { ComposeProject, ComposeService } from './compose-project.ts'
import { nameOf, type ProposedSecret } from './found-secret.ts'

export type Order = (a: ProposedSecret, b: ProposedSecret) => number

/** The image of a database has no such variable, and no text of the service uses it. */
export const readsNot = ({ image = '', texts }: ComposeService, key: string): boolean =>
  readsVariable(image, key) === false &&
  !texts.some(({ text }) => variablesOfText(text.replaceAll('$$', '$')).includes(key))

/**
 * The global one; never that of a database which does not read it; that of a database, as POSTGRES_PASSWORD; that of a
 * service after which the key is named, as REDIS_PASSWORD after the image of `cache`; that of the one that most others
 * depend on; of those that run one image; of those that publish ports.
 */
export const createOrder = (services: ComposeProject['services']): Order => {
  const serviceOf = (scope: string): ComposeService | undefined =>
    services.find(({ name }) => name === scope)
  const isRead = ({ key, scope }: ProposedSecret): boolean => {
    const service = serviceOf(scope)
    return service === undefined || !readsNot(service, key)
  }
  const isNamedAfter = ({ key, scope }: ProposedSecret): boolean => {
    const program = programOf(serviceOf(scope)?.image ?? '')
    const words = key.toLowerCase().split(/[^a-z0-9]+/)
    return [scope, program].some((name) => words.some((word) => isWordOf(word, name)))
  }
  const dependents = ({ scope }: ProposedSecret): number =>
    services.filter(({ dependsOn }) => dependsOn.includes(scope)).length
  const peers = ({ scope }: ProposedSecret): number => {
    const image = serviceOf(scope)?.image
    return services.filter((service) => service.image === image).length
  }
  const publishes = ({ scope }: ProposedSecret): boolean =>
    serviceOf(scope)?.texts.some(({ field }) => field === 'ports') === true
  const marks: ((secret: ProposedSecret) => number | boolean)[] = [
    isForAll,
    isRead,
    ({ key }) => isReadOnce(key),
    ({ key, scope }) => readsVariable(serviceOf(scope)?.image ?? '', key) === true,
    isNamedAfter,
    dependents,
    peers,
    publishes,
  ]
  return (a, b) => {
    for (const mark of marks) {
      const order = Number(mark(b)) - Number(mark(a))
      if (order !== 0) return order
    }
    return nameOf(a) < nameOf(b) ? -1 : 1
  }
}

/** `redis` and `rediscli` of `redis`; `mysql` of `mysql-server`. */
const isWordOf = (word: string, name: string): boolean => {
  const [first = ''] = name.toLowerCase().split(/[^a-z0-9]+/)
  return first.length >= 2 && word.startsWith(first)
}
