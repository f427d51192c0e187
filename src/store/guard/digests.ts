// Digests of services as people read them. Two services that see the same keys with the same values have one digest, which
// tells of guarded values that they are equal. So in a guarded project each service has digests of its own: still the same
// for what it should have and what it runs, and comparable with no other service.
import { createHmac, randomBytes } from 'node:crypto'
import { defined } from '../../kernel/defined.ts'
import type { KubeObject } from '../../resources/meta.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import { statusOf } from '../../kinds/typed.ts'
import type { View } from '../state/state.ts'
import { policiesOf } from './policies.ts'

/** Of this process: nobody computes from a label of a container what is shown. */
const key = randomBytes(32)

/** One for all readers of an object that never changes. */
const shownAs = new WeakMap<KubeObject, KubeObject>()

const ownDigest = (stagelet: KubeObject, service: string, digest: string): string =>
  createHmac('sha256', key)
    .update(JSON.stringify([stagelet.metadata.uid, service, digest]))
    .digest('hex')

/**
 * Whether what a stagelet shows as a digest of its service is of this set. The stagelet may be as its readers see it, so
 * nothing else compares the two.
 */
export const isDigestOf = (
  { stagelet, service }: { readonly stagelet: KubeObject; readonly service: string },
  shown: string | undefined,
  digest: string | undefined,
): boolean =>
  shown === digest ||
  (shown !== undefined && !!digest && shown === ownDigest(stagelet, service, digest))

const withDigestsOf = (stagelet: KubeObject): KubeObject => {
  const { services = [] } = statusOf('Stagelet', stagelet)
  const own = (service: string, digest: string | undefined): string | undefined =>
    digest && ownDigest(stagelet, service, digest)
  const shown = services.map(({ wantedDigest, runningDigest, lastSeen, ...service }) => ({
    ...service,
    ...defined({
      wantedDigest: own(service.name, wantedDigest),
      runningDigest: own(service.name, runningDigest),
      lastSeen: lastSeen && {
        ...lastSeen,
        ...defined({ runningDigest: own(service.name, lastSeen.runningDigest) }),
      },
    }),
  }))
  return { ...stagelet, status: { ...stagelet.status, services: shown } }
}

export const withOwnDigests = (view: Pick<View, 'objects'>, object: KubeObject): KubeObject => {
  if (object.kind !== 'Stagelet' || policiesOf(view, projectRefOf(object)).length === 0)
    return object
  const shown = shownAs.get(object) ?? withDigestsOf(object)
  shownAs.set(object, shown)
  return shown
}
