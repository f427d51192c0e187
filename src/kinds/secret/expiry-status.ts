// The part of a secret's status that tells until when its value may be used.
import { isReadOnce, readOnceRemedy } from '../../databases/read-once.ts'
import { toTimestamp } from '../../kernel/clock.ts'
import { defined } from '../../kernel/defined.ts'
import { earliest } from '../../kernel/earliest.ts'
import { findCondition, withCondition, type Condition } from '../../resources/conditions.ts'
import { expiryAt, type Dated } from './expiry.ts'
import { keptFindings, leakedSince } from './findings.ts'
import { ageAt, revealedVerdict, type SecretPolicy } from './age.ts'
import type { SecretSpec, SecretStatus } from './schema.ts'

const types = ['Expiring', 'Expired', 'RotationDue'] as const

/** When the value was given; undefined while there is none. */
export const sinceIn = ({ version, valueSince, updatedAt }: SecretStatus): string | undefined =>
  version === undefined ? undefined : (valueSince ?? updatedAt)

type Dates = Pick<SecretSpec, 'expiry' | 'key' | 'valueFrom'>

/** How a new value of the secret is made. */
const remedyOf = ({ key, valueFrom }: Dates): string => {
  const { rotation, generate, secretRef, external } = valueFrom ?? {}
  if (rotation !== undefined) return `run its Rotation (stagely rotation run ${rotation.name})`
  if (generate !== undefined) return `let one be generated (stagely secrets rotate ${key})`
  if (secretRef !== undefined) return `give secret "${secretRef.name}" a new value`
  if (external !== undefined) return `change it in store "${external.store}"`
  return isReadOnce(key) ? readOnceRemedy(key) : 'give the secret a new value'
}

export const datesOf = (spec: Dates, status: SecretStatus): Dated => ({
  expiry: spec.expiry,
  remedy: remedyOf(spec),
  since: sinceIn(status),
  certificateEndsAt: status.certificateEndsAt,
  storeEndsAt: status.external?.expiresAt,
})

interface At {
  readonly nowMs: number
  /** False: conditions do not become true here, so that the reconciler can tell of them. */
  readonly announces: boolean
  /** The end of the same value has moved: a warning that was told already says the new end. */
  readonly isMoved?: boolean
  /** Of the project. */
  readonly policy: SecretPolicy | undefined
}

/** The status as it is at `nowMs`, and the next moment (ms) at which time alone makes it another one. */
export const withDates = (
  spec: Dates,
  status: SecretStatus,
  { nowMs, announces, isMoved = false, policy }: At,
): { status: SecretStatus; nextAt: number | undefined } => {
  const dated = datesOf(spec, status)
  const { remedy, since } = dated
  const expiry = expiryAt(dated, nowMs)
  const was = findCondition(status.conditions, 'RotationDue')
  const age = ageAt(
    policy,
    { key: spec.key, since, remedy },
    {
      nowMs,
      before: {
        dueAt: status.rotationDueAt,
        reason: was?.status === 'True' ? was.reason : undefined,
      },
    },
  )
  const found = keptFindings(status.findings, nowMs)
  const rotation = revealedVerdict(status, remedy) ?? age.verdict
  const verdicts = { ...expiry.verdicts, RotationDue: rotation }
  const {
    expiresAt: _,
    expiresFrom: __,
    rotationDueAt: ___,
    findings: ____,
    conditions: before = [],
    ...rest
  } = status
  const { observedGeneration } = status
  let conditions = (before as Condition[]).filter(({ type }) =>
    types.every((expiryType) => expiryType !== type || verdicts[expiryType] !== undefined),
  )
  const isReported = (type: (typeof types)[number], reason: string): boolean => {
    const previous = findCondition(before, type)
    return type !== 'RotationDue' && previous?.status === 'True' && previous.reason === reason
  }
  for (const type of types) {
    const verdict = verdicts[type]
    if (verdict === undefined) continue
    const isNews = verdict.status === 'True' && !(isMoved && isReported(type, verdict.reason))
    if (isNews && !announces) continue
    const next = { type, ...verdict, observedGeneration }
    conditions = withCondition(conditions, next, toTimestamp(nowMs))
  }
  return {
    status: {
      ...rest,
      ...expiry.end,
      ...found.kept,
      ...defined({ rotationDueAt: age.dueAt }),
      conditions,
    },
    nextAt: earliest(earliest(expiry.nextAt, age.nextAt), found.nextAt),
  }
}

/** Why a value should be another one. `revealed`: somebody knows, or may know, the value who should not. */
export const dueCauses = ['expiry', 'certificate', 'store', 'age', 'leaked', 'revealed'] as const

export interface Due {
  readonly at: string
  readonly why: (typeof dueCauses)[number]
}

const causeOfEnd = { Spec: 'expiry', Certificate: 'certificate', Store: 'store' } as const

/** The first moment at which the value should be another one; undefined: there is none. */
export const dueOf = ({
  expiresAt,
  expiresFrom = 'Spec',
  rotationDueAt,
  knownOutside,
  readBy,
  plainUntil,
  findings,
}: SecretStatus): Due | undefined => {
  const moments: [at: string | undefined, why: Due['why']][] = [
    [leakedSince(findings), 'leaked'],
    [expiresAt, causeOfEnd[expiresFrom]],
    [rotationDueAt, 'age'],
    [knownOutside?.since, 'revealed'],
    [readBy?.at, 'revealed'],
    [plainUntil, 'revealed'],
  ]
  return moments
    .flatMap(([at, why]) => (at === undefined ? [] : [{ at, why }]))
    .reduce<Due | undefined>((first, due) => (first && first.at <= due.at ? first : due), undefined)
}
