// Before a secret is made: which services it reaches. A key that was kept to fewer services goes to more of them only
// where somebody has said so.
import type { ReviewStatus, WidenedKey } from '../../src/manifests/review.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { KubeApi } from '../connect/api.ts'
import { note } from '../print.ts'
import { confirm } from '../prompt.ts'
import { renderAffected, reviewObjects } from './review.ts'
import {
  refuseShared,
  type SecretIdentity,
  type StoredSecrets,
} from '../objects/secret-identity.ts'
import { placesText } from '../../src/secrets/place.ts'

/** One line for each key, for people. */
export const renderWidened = (widened: readonly WidenedKey[] = []): string[] =>
  widened.map((widening) => {
    const services = widening.services.map(({ stagelet, service }) => `${stagelet}/${service}`)
    const news = services.length === 0 ? '' : `; new for ${services.join(', ')}`
    return `${widening.key} was kept to ${placesText(widening.before)}, and would go to ${placesText([widening])}${news}.`
  })

/** Asks where keys would go to more services, and `isSaid` does not know that this is meant. */
export const confirmWidened = async (
  { widened = [] }: Pick<ReviewStatus, 'widened'>,
  isSaid: (widening: WidenedKey) => boolean,
  yes: boolean | undefined,
): Promise<void> => {
  for (const line of renderWidened(widened.filter(isSaid))) note(line)
  const unsaid = widened.filter((widening) => !isSaid(widening))
  if (unsaid.length === 0) return
  const keys = [...new Set(unsaid.map(({ key }) => key))].join(', ')
  const question = `Give ${keys} to more services?`
  const narrower = unsaid.flatMap(({ before }) => before)
  const named = narrower.some(({ environments }) => environments !== undefined)
    ? ', "--environment NAME" ("environments")'
    : ''
  const instead = `or name who is meant: "--scope SERVICE" (in a manifest, "scope")${named}, or "global"`
  await confirm({ question, details: renderWidened(unsaid), instead }, yes)
}

interface NewSecret {
  readonly object: KubeObject
  readonly identity: SecretIdentity
  readonly stored: StoredSecrets
  /** The scope was named. */
  readonly isScopeSaid: boolean
  readonly yes: boolean | undefined
}

/** Whether the flags name whom the key goes to anew: services by the scope, stagelets of environments by these. */
const isReachSaid = ({ scope, environments, before }: WidenedKey, isScopeSaid: boolean): boolean =>
  before.every(
    (place) =>
      (isScopeSaid || (environments !== undefined && place.scope === scope)) &&
      (place.environments === undefined || environments !== undefined),
  )

/** Shows whom the new secret reaches where its scope is not named, and asks where its key was kept to fewer services. */
export const confirmNew = async (
  api: KubeApi,
  { object, identity, stored, isScopeSaid, yes }: NewSecret,
): Promise<void> => {
  refuseShared(stored, identity)
  const { project, key } = identity
  if (isScopeSaid && stored.placesOf(project, key).length === 0) return
  const review = await reviewObjects(api, [object])
  if (!isScopeSaid && review.affected.length > 0) note(renderAffected(review).join('\n'))
  await confirmWidened(review, (widening) => isReachSaid(widening, isScopeSaid), yes)
}
