// Status of a secret after a write of its spec: what is known at once. The rest is the reconcilers'.
import { defined } from '../kernel/defined.ts'
import { withCondition, type Condition } from '../resources/conditions.ts'
import type { KubeObject } from '../resources/meta.ts'
import { withDates } from '../resources/secret-expiry.ts'
import type { SecretSpec, SecretStatus } from '../resources/stagelysecret.ts'
import {
  forController,
  noConsumers,
  noStagelet,
  projectMissing,
  type Verdict,
} from '../resources/unseen-secret.ts'
import { projectOf } from './project-ref.ts'
import { policyOf } from './values/policy.ts'
import { publicHalf } from '../secrets/generate.ts'
import { certificateEnd } from '../secrets/certificate-end.ts'
import type { NewVersion } from './secret-writes.ts'
import type { WriteSession } from './session.ts'
import type { FoundValue } from './values/disclosure.ts'

const specOf = (object: KubeObject): SecretSpec => object.spec as SecretSpec

const missingValue = (object: KubeObject): string => {
  const { secretRef, kubernetesSecret, rotation, external } = specOf(object).valueFrom ?? {}
  if (rotation !== undefined)
    return `Rotation "${rotation.name}" makes it, and has not yet: see its conditions`
  if (external !== undefined)
    return `nothing was fetched from store "${external.store}" yet: its condition Fresh says why`
  if (kubernetesSecret !== undefined)
    return 'valueFrom.kubernetesSecret is read only by a controller that follows the cluster (--kubernetes)'
  const source = secretRef?.name
  return source === undefined
    ? 'no value was ever given: set spec.value'
    : `secret "${source}", whose value it takes, does not exist or has none yet`
}

const publicKeyOf = (
  object: KubeObject,
  stored: { value: Buffer } | undefined,
): { publicKey?: string } => {
  const wanted = specOf(object).valueFrom?.generate?.keypair !== undefined
  const publicKey = wanted && stored !== undefined ? publicHalf(stored.value) : undefined
  return publicKey === undefined ? {} : { publicKey }
}

type Reach = Pick<SecretStatus, 'serviceCount' | 'services'> & {
  readonly verdicts: Readonly<Record<string, Verdict>>
}

/** Of a version that this write stores. */
interface StoredVersion extends NewVersion {
  /** Of its project. */
  readonly stagelets: readonly KubeObject[]
}

const isSeen = (object: KubeObject, stagelets: readonly KubeObject[]): boolean => {
  const only = specOf(object).stageletRef?.name
  return stagelets.some(({ metadata }) => only === undefined || metadata.name === only)
}

/** Where nobody can see it there is nothing to wait for. */
const reach = (object: KubeObject, { entry, stagelets }: StoredVersion): Reach => {
  if (specOf(object).audience === 'Controller') {
    const verdicts = { ScopeMatched: forController, InSync: forController }
    return { verdicts, serviceCount: 0, services: [] }
  }
  if (isSeen(object, stagelets)) {
    const message = `version ${entry.version} is stored and not yet in every container`
    return { verdicts: { InSync: { status: 'False', reason: 'NewVersion', message } } }
  }
  const verdicts = { ScopeMatched: noStagelet(specOf(object)), InSync: noConsumers }
  return { verdicts, serviceCount: 0, services: [] }
}

/** Whether the secret is taken as it is declared, and if not, what it waits for. */
export const acceptedVerdict = (
  object: KubeObject,
  { version, isDeclared }: { readonly version: number | undefined; readonly isDeclared: boolean },
): Verdict => {
  if (!isDeclared) return projectMissing(object)
  return version === undefined
    ? { status: 'False', reason: 'ValueMissing', message: missingValue(object) }
    : { status: 'True', reason: 'Accepted', message: 'the value is stored' }
}

/** Read where the value is public, or was given in plain text by this write. `isTemplate`: it refers to others. */
const endOfCertificate = (
  { value, origin }: FoundValue,
  { isTemplate }: { readonly isTemplate: boolean },
): string | undefined => {
  const found = isTemplate ? undefined : certificateEnd(value)
  return found?.isAlone === true || origin === 'plain' ? found?.endsAt : undefined
}

/** The secret with the end of its certificate, which is given again and was not known; undefined where nothing is learnt. */
export const withLearntEnd = (
  object: KubeObject,
  found: FoundValue,
  refers: { readonly isTemplate: boolean },
): KubeObject | undefined => {
  if (object.status?.['certificateEndsAt'] !== undefined) return undefined
  const certificateEndsAt = endOfCertificate(found, refers)
  if (certificateEndsAt === undefined) return undefined
  return { ...object, status: { ...object.status, certificateEndsAt } }
}

/** A value that has got an end to come is no longer near its end, or past it. What has become true is for the reconciler to tell. */
const expiring = (
  session: WriteSession,
  object: KubeObject,
  status: SecretStatus,
): SecretStatus => {
  const { nowMs } = session
  const policy = policyOf(session, projectOf(object))
  return withDates(specOf(object), status, { nowMs, tells: false, policy }).status
}

/** What was fetched last says nothing of a value that comes from elsewhere now: from the store it is fetched anew. */
const ofPresentSource = (object: KubeObject): SecretStatus => {
  const status = (object.status ?? {}) as SecretStatus
  if (status.external === undefined || specOf(object).valueFrom?.external !== undefined)
    return status
  const { external: _, conditions = [], ...rest } = status
  return { ...rest, conditions: conditions.filter(({ type }) => type !== 'Fresh') }
}

export const secretStatusAfter = (
  session: WriteSession,
  object: KubeObject,
  { stored, isDeclared }: { stored: StoredVersion | undefined; isDeclared: boolean },
): SecretStatus => {
  const old = ofPresentSource(object)
  const observedGeneration = object.metadata.generation ?? 1
  const version = stored?.entry.version ?? old.version
  const accepted = {
    type: 'Accepted',
    ...acceptedVerdict(object, { version, isDeclared }),
    observedGeneration,
  }
  const before = (old.conditions ?? []) as Condition[]
  let conditions = withCondition(before, accepted, session.now)
  if (stored === undefined)
    return expiring(session, object, { ...old, observedGeneration, conditions })
  const { entry } = stored
  const { verdicts, ...services } = isDeclared
    ? reach(object, stored)
    : { verdicts: { InSync: projectMissing(object) } }
  for (const [type, verdict] of Object.entries(verdicts))
    conditions = withCondition(conditions, { type, ...verdict, observedGeneration }, session.now)
  const { publicKey: _, references: __, certificateEndsAt, knownOutside, ...others } = old
  const read = endOfCertificate(stored, { isTemplate: entry.references !== undefined })
  const ends = read ?? (stored.keeps ? certificateEndsAt : undefined)
  return expiring(session, object, {
    ...others,
    ...publicKeyOf(object, stored),
    ...(entry.references === undefined ? {} : { references: [...entry.references] }),
    observedGeneration,
    version: entry.version,
    bytes: entry.bytes,
    updatedAt: session.now,
    updatedBy: session.actor.name,
    valueSince: stored.since ?? session.now,
    ...defined({ certificateEndsAt: ends, knownOutside: stored.keeps ? knownOutside : undefined }),
    ...services,
    conditions,
  })
}
