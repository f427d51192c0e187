// The status of a secret after a write of its spec, as far as it is known at once. The reconcilers write the rest.
import { defined } from '../../kernel/defined.ts'
import { withCondition } from '../../resources/conditions.ts'
import type { KubeObject } from '../../resources/meta.ts'
import { withDates } from '../../kinds/secret/expiry-status.ts'
import type { SecretStatus } from '../../kinds/secret/schema.ts'
import { specOf, statusOf } from '../../kinds/typed.ts'
import { forController, missingValue, noConsumers, noStagelet, projectMissing, valueToCome } from '../../kinds/secret/verdicts.ts'
import type { Verdict } from '../../resources/conditions.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import { shownValue } from './plain-values.ts'
import { policyOf } from './policy.ts'
import { publicHalf } from '../../secrets/generate.ts'
import { type Layout } from '../../secrets/layout.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { certificateEnd } from '../../secrets/certificate-end.ts'
import { reaches } from '../../secrets/place.ts'
import type { NewVersion } from './prepared-secret.ts'
import type { WriteSession } from '../core/write-session.ts'
import type { FoundValue } from './disclosure.ts'

const publicKeyOf = (object: KubeObject, value: Buffer): string | undefined =>
  specOf('StagelySecret', object).valueFrom?.generate?.keypair === undefined
    ? undefined
    : publicHalf(value)

type Reach = Pick<SecretStatus, 'serviceCount' | 'services'> & {
  readonly verdicts: Readonly<Record<string, Verdict>>
}

/** A version that this write stores. */
interface StoredVersion extends NewVersion {
  /** Stagelets of the project. */
  readonly stagelets: readonly KubeObject[]
  readonly layout: Layout
}

const isSeen = (entry: ProjectEntry, { stagelets, layout }: StoredVersion): boolean =>
  stagelets.some(({ metadata }) => reaches(entry, metadata.name, layout))

/** Conditions and services of a new version. Where no service can see the secret, there is nothing to wait for. */
const reach = (object: KubeObject, stored: StoredVersion): Reach => {
  const { entry } = stored
  if (specOf('StagelySecret', object).audience === 'Controller') {
    const verdicts = { ScopeMatched: forController, InSync: forController }
    return { verdicts, serviceCount: 0, services: [] }
  }
  if (isSeen(entry, stored)) {
    const message = `version ${entry.version} is stored and not yet in every container`
    return { verdicts: { InSync: { status: 'False', reason: 'NewVersion', message } } }
  }
  const verdicts = {
    ScopeMatched: noStagelet(specOf('StagelySecret', object)),
    InSync: noConsumers,
  }
  return { verdicts, serviceCount: 0, services: [] }
}

/** The condition Accepted: the secret has a value, or what it waits for. */
export const acceptedVerdict = (
  object: KubeObject,
  { version, isDeclared }: { readonly version: number | undefined; readonly isDeclared: boolean },
): Verdict => {
  if (!isDeclared) return projectMissing(object)
  const { awaits } = statusOf('StagelySecret', object)
  if (awaits !== undefined) return valueToCome(awaits, version !== undefined)
  return version === undefined
    ? missingValue(specOf('StagelySecret', object))
    : { status: 'True', reason: 'Accepted', message: 'the value is stored' }
}

/**
 * When the certificate in the value ends. Only of a value that is public, or that this write gives in plain text.
 * `isTemplate`: the value refers to other secrets.
 */
const endOfCertificate = (
  { value, origin }: FoundValue,
  { isTemplate }: { readonly isTemplate: boolean },
): string | undefined => {
  const found = isTemplate ? undefined : certificateEnd(value)
  return found?.isOnly === true || origin === 'plain' ? found?.endsAt : undefined
}

/** The secret with the end of its certificate, where the same value is given again; undefined where the end is known, or there is none. */
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

/** The dates of the value. A later end clears the condition that the value expires; the reconciler sets it. */
const withNewDates = (
  session: WriteSession,
  object: KubeObject,
  status: SecretStatus,
): SecretStatus => {
  const { nowMs } = session
  const policy = policyOf(session, projectRefOf(object))
  return withDates(specOf('StagelySecret', object), status, { nowMs, announces: false, policy })
    .status
}

/** The status without the last fetch, where the value does not come from a store any more. */
const ofPresentSource = (object: KubeObject): SecretStatus => {
  const status = statusOf('StagelySecret', object)
  if (
    status.external === undefined ||
    specOf('StagelySecret', object).valueFrom?.external !== undefined
  )
    return status
  const { external: _, conditions = [], ...rest } = status
  return { ...rest, conditions: conditions.filter(({ type }) => type !== 'Fresh') }
}

/** Since when a value that was plain is masked. */
const endOfPlain = (
  { plain }: ProjectEntry,
  until: string | false | undefined,
): string | undefined => (plain === true || until === false ? undefined : until)

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
  let conditions = withCondition(old.conditions ?? [], accepted, session.now)
  if (stored === undefined)
    return withNewDates(session, object, { ...old, observedGeneration, conditions })
  const { entry } = stored
  const { verdicts, ...services } = isDeclared
    ? reach(object, stored)
    : { verdicts: { InSync: projectMissing(object) } }
  for (const [type, verdict] of Object.entries(verdicts))
    conditions = withCondition(conditions, { type, ...verdict, observedGeneration }, session.now)
  const { publicKey: _, references: __, value: ___, ...kept } = old
  const { certificateEndsAt, knownOutside, readBy, plainUntil, ...others } = kept
  const { wasPlain = false } = stored
  const read = endOfCertificate(stored, { isTemplate: entry.references !== undefined })
  const ends = read ?? (stored.keeps ? certificateEndsAt : undefined)
  return withNewDates(session, object, {
    ...others,
    ...defined({
      publicKey: publicKeyOf(object, stored.value),
      references: entry.references && [...entry.references],
      value: shownValue(entry, stored.value),
    }),
    observedGeneration,
    version: entry.version,
    bytes: entry.bytes,
    updatedAt: session.now,
    updatedBy: session.actor.name,
    valueSince: stored.since ?? session.now,
    ...defined({
      certificateEndsAt: ends,
      knownOutside: stored.keeps ? knownOutside : undefined,
      readBy: stored.keeps ? readBy : undefined,
      plainUntil: endOfPlain(entry, wasPlain ? session.now : stored.keeps && plainUntil),
    }),
    ...services,
    conditions,
  })
}
