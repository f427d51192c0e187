// What is particular of single kinds when a user creates or changes their objects.
import type { Fault } from '../../kernel/errors.ts'
import { defined } from '../../kernel/defined.ts'
import { sameJson } from '../../kernel/same-json.ts'
import { withStatusOwner } from '../../managed-fields/status.ts'
import { foreignTo } from '../../kinds/notifier/schema.ts'
import { loginsOf, rotationPlaceOf } from '../../kinds/rotation/place.ts'
import { rotatorNameOf } from '../../kinds/rotation/rules.ts'
import type { RotatorName } from '../../kinds/rotation/schema.ts'
import { endsAtAfter, faultOfExtension, newExtension } from '../../kinds/stagelet/end.ts'
import { annotations, keyOf, refOf, type KubeObject } from '../../resources/meta.ts'
import { ofKind, specOf, statusOf } from '../../kinds/typed.ts'
import { invalidObject } from '../core/errors.ts'
import type { WriteSession } from '../core/write-session.ts'
import { tellTaken } from '../places/names.ts'
import { isTold, narrowingFor, toldObject } from '../places/places.ts'
import { noteEnvironments } from '../secrets/environments.ts'
import { claimOf, term } from '../state/rows.ts'

/** `now` where the flag is new; the stored time while it stays. */
const sinceOf = (
  isSet: boolean | undefined,
  wasSet: boolean | undefined,
  { since, now }: { readonly since: string | undefined; readonly now: string },
): string | undefined => (isSet === true ? (wasSet === true ? since : now) : undefined)

/** The Agent with the times since when it is paused or drained. */
const withAgentTimes = (
  object: KubeObject,
  before: KubeObject | undefined,
  now: string,
): KubeObject => {
  const { spec, status = {} } = ofKind('Agent', object)
  const old = before && specOf('Agent', before)
  const { pausedSince, drainedSince, ...rest } = status
  const times = defined({
    pausedSince: sinceOf(spec?.paused, old?.paused, { since: pausedSince, now }),
    drainedSince: sinceOf(spec?.drained, old?.drained, { since: drainedSince, now }),
  })
  const next = { ...rest, ...times }
  if (sameJson(next, status)) return object
  return withStatusOwner({ ...object, status: next }, before, now)
}

/** The Stagelet with its end. Invalid where it cannot be extended as the write asks. */
const withEnd = (
  session: WriteSession,
  object: KubeObject,
  before: KubeObject | undefined,
): KubeObject => {
  const stagelet = ofKind('Stagelet', object)
  const former = before && ofKind('Stagelet', before)
  const request = newExtension(stagelet, former)
  const fault = request === undefined ? undefined : faultOfExtension(request, stagelet.spec.ttl)
  if (fault !== undefined) {
    const field = `metadata.annotations[${annotations.extend}]`
    const message = `Invalid value: ${fault}`
    throw invalidObject(refOf(object), [{ field, reason: 'FieldValueInvalid', message }])
  }
  const endsAt = endsAtAfter(stagelet, former, session.nowMs)
  const { endsAt: formerEnd, ...rest } = stagelet.status ?? {}
  if (endsAt === formerEnd) return object
  return withStatusOwner(
    { ...object, status: { ...rest, ...defined({ endsAt }) } },
    before,
    session.now,
  )
}

/** Invalid where an address is of a domain that the operator of the controller does not allow. A Notifier that is stored already gets no mail there either: see mail.ts. */
const checkAddresses = ({ deps }: WriteSession, object: KubeObject): void => {
  const { email: { to } = { to: [] } } = specOf('Notifier', object)
  const domains = deps.mailDomains
  const foreign = new Set(foreignTo(domains, to))
  const faults = to.flatMap((address, n): Fault[] =>
    foreign.has(address)
      ? [
          {
            field: `spec.email.to[${n}]`,
            reason: 'FieldValueForbidden',
            message: `Forbidden: mail goes to ${(domains ?? []).join(', ')} alone (STAGELY_SMTP_DOMAINS): name an address there, or ask whoever runs the controller to add the domain`,
          },
        ]
      : [],
  )
  if (faults.length > 0) throw invalidObject(refOf(object), faults)
}

/** The Compose project that a stagelet has on its machine. */
const claimedBy = (object: KubeObject): readonly string[] => {
  const spec = specOf('Stagelet', object)
  return [spec.agentRef.name, claimOf(spec)]
}

/** Invalid where another stagelet has this Compose project, as far as the specs tell. */
const checkClaim = (session: WriteSession, object: KubeObject): void => {
  const spec = specOf('Stagelet', object)
  const { agentRef, compose } = spec
  const ref = refOf(object)
  const byName = compose.projectName !== undefined
  const rows = session
    .select(term.composeProject(ref.namespace, agentRef.name, claimOf(spec)))
    .filter((row) => row.id !== keyOf(ref))
  const other = rows[0]?.object
  const former = session.fetch(ref)
  const isNew = former === undefined || !sameJson(claimedBy(former.object), claimedBy(object))
  if (isNew && narrowingFor(session.actor, object) !== undefined)
    tellTaken(session, `claim ${JSON.stringify(claimedBy(object))}`, () =>
      rows.some((row) => !isTold(session, row.object)),
    )
  if (other === undefined) return
  const field = byName ? 'spec.compose.projectName' : 'spec.compose.directory'
  const value = JSON.stringify(compose.projectName ?? compose.directory)
  const message = `Duplicate value: ${value}: ${toldObject(session, other)} has this Compose project on agent "${agentRef.name}" already`
  throw invalidObject(ref, [{ field, reason: 'FieldValueDuplicate', message }])
}

const fieldOf: Readonly<Partial<Record<RotatorName, string>>> = {
  postgres: 'roles',
  mariadb: 'users',
  redis: 'user',
  awsIam: 'userName',
}

/**
 * Invalid where another Rotation changes the same login: each would end the credential that the services of the other one
 * use. Names the other Rotation, unless it is of another team.
 */
const checkLogins = (session: WriteSession, object: KubeObject): void => {
  const ref = refOf(object)
  const spec = specOf('Rotation', object)
  const place = rotationPlaceOf(spec, ref.namespace)
  if (place === undefined) return
  const own = loginsOf(spec)
  for (const { id, object: other } of session.select(term.kind('Rotation'))) {
    const { namespace, name } = refOf(other)
    const otherSpec = specOf('Rotation', other)
    if (id === keyOf(ref) || rotationPlaceOf(otherSpec, namespace) !== place) continue
    const shared = own.find((login) => loginsOf(otherSpec).includes(login))
    if (shared === undefined) continue
    const who = namespace === ref.namespace ? `rotation "${name}"` : 'a rotation of another team'
    const rotator = rotatorNameOf(spec)
    const field = `spec.rotator.${rotator}.${fieldOf[rotator] ?? ''}`
    const message = `Duplicate value: ${JSON.stringify(shared)}: ${who} changes this login at the same place already, and each would end what services of the other one use: name another login`
    throw invalidObject(ref, [{ field, reason: 'FieldValueDuplicate', message }])
  }
}

/** Credentials of a running attempt are at the place that these fields name. */
const fixed = ['projectRef', 'outputs', 'rotator', 'inPlace'] as const

const checkUnderWay = (object: KubeObject, current: KubeObject): void => {
  const { phase = 'Idle' } = statusOf('Rotation', current)
  if (phase === 'Idle') return
  const [next, before] = [specOf('Rotation', object), specOf('Rotation', current)]
  const message = `Forbidden: an attempt is under way (${phase}): wait for its end, or delete the rotation and create it anew`
  const faults = fixed
    .filter((field) => !sameJson(next[field] ?? null, before[field] ?? null))
    .map((field): Fault => ({ field: `spec.${field}`, reason: 'FieldValueForbidden', message }))
  if (faults.length > 0) throw invalidObject(refOf(object), faults)
}

const ofCredential = ['projectRef', 'outputs', 'rotator'] as const

/** A changed credential: containers may still use the Rotation's other login, so that its slots are no longer its own. */
const withoutOwnSlots = (next: KubeObject, before: KubeObject): KubeObject => {
  const { ownSlots, ...status } = statusOf('Rotation', next)
  const [a, b] = [specOf('Rotation', next), specOf('Rotation', before)]
  if (ownSlots === undefined || ofCredential.every((field) => sameJson(a[field], b[field])))
    return next
  return { ...next, status: { ...status } }
}

/** Invalid where the new object breaks a rule of its kind. */
export const checkNew = (session: WriteSession, object: KubeObject, before?: KubeObject): void => {
  if (object.kind === 'Rotation') checkLogins(session, object)
  if (object.kind === 'Notifier') checkAddresses(session, object)
  if (object.kind === 'Stagelet') {
    checkClaim(session, object)
    noteEnvironments(session, object)
  }
  if (object.kind === 'Project' || object.kind === 'Agent')
    noteEnvironments(session, object, before)
}

/** Invalid where the change of the spec breaks a rule of its kind. */
export const checkChange = (
  session: WriteSession,
  object: KubeObject,
  before: KubeObject,
): void => {
  if (object.kind !== 'Rotation') {
    checkNew(session, object, before)
    return
  }
  checkUnderWay(object, before)
  if (!sameJson(object.spec?.['rotator'], before.spec?.['rotator'])) checkLogins(session, object)
}

/** The object with the status that follows from its new spec. */
export const withStatusOfSpec = (
  session: WriteSession,
  next: KubeObject,
  before: KubeObject | undefined,
): KubeObject => {
  if (next.kind === 'Agent') return withAgentTimes(next, before, session.now)
  if (next.kind === 'Stagelet') return withEnd(session, next, before)
  return next.kind === 'Rotation' && before !== undefined ? withoutOwnSlots(next, before) : next
}
