// Makes an AccessRequest of what a person asks for.
import { randomUUID } from 'node:crypto'
import type { Fault } from '../../kernel/errors.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { toTimestamp } from '../../kernel/clock.ts'
import { withStatusOwner } from '../../managed-fields/status.ts'
import { durationMs } from '../../resources/duration.ts'
import type { AccessRequestStatus, RequestedSecret } from '../../kinds/access-request/schema.ts'
import { apiVersion, refOf, type KubeObject, type Place } from '../../resources/meta.ts'
import { specOf, statusOf } from '../../kinds/typed.ts'
import { withHint } from '../../search/near-name.ts'
import { targetOf } from '../../secrets/references.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { invalidObject, objectForbidden } from '../core/errors.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { admit } from './admission.ts'
import { newMetadata } from './object-metadata.ts'
import { recordEvent } from './machine-writes.ts'
import { breakGlassName } from '../../access/break-glass.ts'
import { isForService } from '../../secrets/place.ts'
import { finderIn, placeOf } from '../places/places.ts'
import { term } from '../state/rows.ts'
import { noteGlass } from './glass.ts'
import { guardsOf, projectOfRequest, type Policy } from '../guard/policies.ts'
import { membersFor, newSalt, standingOf, withStanding } from '../guard/standing.ts'

/** Requests of one person that wait for an approval. */
const mostPending = 20
const mostSecrets = 1_000

interface Candidate {
  readonly row: StoredRow
  readonly head: ProjectEntry
  readonly policies: readonly Policy[]
}

const candidatesIn = (session: WriteSession, request: KubeObject): Candidate[] =>
  session.select(term.secretsOf(projectOfRequest(request))).flatMap((row) => {
    const head = session.head(row.uid)
    // A plain value is shown to everybody who reads names.
    if (head === undefined || head.plain === true) return []
    return [{ row, head, policies: guardsOf(session.view, row.object) }]
  })

const countsIn = (session: WriteSession, { row }: Candidate, environment: string): boolean =>
  placeOf(row.object, finderIn(session.view))?.environments.includes(environment) === true

/** What the values of these refer to, wherever a reference may lead. */
const withReferred = (chosen: readonly Candidate[], all: readonly Candidate[]): Candidate[] => {
  const found = new Set(chosen)
  for (const { head } of found)
    for (const reference of head.references ?? []) {
      const { scope, key } = targetOf(head, reference)
      for (const other of all)
        if (other.head.key === key && isForService(other.head, scope)) found.add(other)
    }
  return [...found]
}

const fault = (field: string, message: string): Fault => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${message}`,
})

const chosenFor = (
  session: WriteSession,
  request: KubeObject,
): { chosen: Candidate[]; faults: Fault[] } => {
  const { secrets, environment } = specOf('AccessRequest', request)
  const all = candidatesIn(session, request)
  const inPlace =
    environment === undefined ? all : all.filter((one) => countsIn(session, one, environment))
  const faults: Fault[] = []
  const named = secrets?.flatMap(({ key, scope }, i) => {
    const fitting = inPlace.filter(
      ({ head }) => head.key === key && (scope === undefined || head.scope === scope),
    )
    const keys = [...new Set(inPlace.map(({ head }) => head.key))]
    if (fitting.length === 0)
      faults.push(
        fault(
          `spec.secrets[${i}]`,
          `no masked secret ${key}${scope === undefined ? '' : ` of ${scope}`} here${keys.length === 0 ? '' : `; there are ${withHint(key, keys)}`}`,
        ),
      )
    return fitting
  })
  const guarded = (named ?? inPlace).filter(({ policies }) => policies.length > 0)
  if (faults.length === 0 && guarded.length === 0)
    faults.push(fault('spec.secrets', 'no policy guards any of it: read it without a request'))
  const chosen = withReferred(guarded, all)
  if (chosen.length > mostSecrets)
    faults.push(fault('spec.secrets', `at most ${mostSecrets} secrets: name them`))
  return { chosen, faults }
}

/** Policies of all that is chosen, each once. */
const policiesAmong = (chosen: readonly Candidate[]): Policy[] => [
  ...new Map(chosen.flatMap(({ policies }) => policies.map((one) => [one.uid, one]))).values(),
]

const longestOf = (policies: readonly Policy[], isEmergency: boolean): number =>
  Math.min(...policies.map(({ maxMs, emergency }) => (isEmergency ? emergency.maxMs : maxMs)))

const durationText = (time: number): string => `${time / 60_000}m`

const openOf = (session: WriteSession, namespace: string, person: string): KubeObject[] =>
  session
    .select(term.openRequestsIn(namespace))
    .map(({ object }) => object)
    .filter((open) => statusOf('AccessRequest', open).requester?.id === person)

const checkCount = (session: WriteSession, request: KubeObject, person: string): void => {
  const open = openOf(session, refOf(request).namespace, person)
  const stateOf = (one: KubeObject) => statusOf('AccessRequest', one).state
  if (specOf('AccessRequest', request).emergency === true) {
    const broken = open.find(
      (one) => specOf('AccessRequest', one).emergency === true && stateOf(one) === 'Active',
    )
    if (broken === undefined) return
    throw new StagelyError(
      'Conflict',
      `your emergency ${refOf(broken).name} is still open: use it, or revoke it first`,
    )
  }
  if (open.filter((one) => stateOf(one) === 'Pending').length < mostPending) return
  throw new StagelyError(
    'Conflict',
    `you have ${mostPending} requests that wait for an approval: cancel some (stagely access cancel)`,
  )
}

/** Forbidden where nobody knows who asks, or the person may declare no emergency. */
const checkRequester = (
  { actor }: WriteSession,
  request: KubeObject,
  policies: readonly Policy[],
): void => {
  const isEmergency = specOf('AccessRequest', request).emergency === true
  if (!isEmergency || actor.name === breakGlassName) return
  const unlisted = policies.find(({ emergency }) => !emergency.users.includes(actor.name))
  if (unlisted === undefined) return
  const { users } = unlisted.emergency
  const who = users.length === 0 ? 'nobody' : users.join(', ')
  const why = `who may declare an emergency by AccessPolicy "${unlisted.name}": ${who}; ask for access (stagely access request)`
  throw objectForbidden(refOf(request), why, {
    why: 'Role',
    namespace: refOf(request).namespace,
  })
}

const personOf = ({ actor }: WriteSession, request: KubeObject): { id: string; name: string } => {
  const { id, name, kind } = actor
  if (kind === 'user' && id !== undefined) return { id, name }
  const why =
    'a person asks, and a machine never does: an owner may name its token in spec.machines of the policy'
  throw objectForbidden(refOf(request), why)
}

const shownSecret = ({ row, head }: Candidate): RequestedSecret => ({
  name: row.object.metadata.name,
  uid: row.uid,
  key: head.key,
  scope: head.scope,
  version: head.version,
})

const keysText = (secrets: readonly RequestedSecret[]): string => {
  const keys = [...new Set(secrets.map(({ key }) => key))].sort()
  const more = keys.length > 5 ? ` and ${keys.length - 5} more` : ''
  return `${keys.slice(0, 5).join(', ')}${more}`
}

/** Neither the reason nor a value is told: whoever reads events, and whoever gets notices, may not read requests. */
const tell = (session: WriteSession, request: KubeObject, policies: readonly Policy[]): void => {
  const { requester, secrets = [], durationSeconds = 0 } = statusOf('AccessRequest', request)
  const { emergency } = specOf('AccessRequest', request)
  const { name } = request.metadata
  const project = projectOfRequest(request).name
  const what = `${keysText(secrets)} of project ${project} for ${durationSeconds / 60}m`
  const who = requester?.name ?? ''
  if (emergency !== true) {
    const message = `${who} asks for ${what}. To approve: stagely access approve ${name}`
    recordEvent(session, { regarding: request, type: 'Normal', reason: 'AccessRequested', message })
    return
  }
  const by = toTimestamp(
    session.nowMs +
      Math.min(...policies.map(({ emergency: { reviewWithinMs } }) => reviewWithinMs)),
  )
  const message = `${who} has declared an emergency and may read ${what}. Another person reviews it until ${by}: stagely access review ${name}`
  recordEvent(session, { regarding: request, type: 'Warning', reason: 'GlassBroken', message })
}

const statusOfNew = (
  session: WriteSession,
  request: KubeObject,
  { chosen, policies }: { chosen: readonly Candidate[]; policies: readonly Policy[] },
): AccessRequestStatus => {
  const { duration, emergency = false } = specOf('AccessRequest', request)
  const given = duration === undefined ? longestOf(policies, emergency) : durationMs(duration)
  const { nowMs, now } = session
  const after = (times: readonly number[]): string => toTimestamp(nowMs + Math.min(...times))
  return {
    state: emergency ? 'Active' : 'Pending',
    requester: personOf(session, request),
    salt: newSalt(),
    policies: policies.map(({ name }) => name),
    secrets: chosen.map(shownSecret),
    durationSeconds: given / 1000,
    expiresAt: after(policies.map(({ expiresAfterMs }) => expiresAfterMs)),
    ...(emergency && {
      startedAt: now,
      reviewBy: after(policies.map(({ emergency: { reviewWithinMs } }) => reviewWithinMs)),
    }),
  }
}

/** With a name that the store makes: a name of a person would stay in the audit log. */
export const withOwnName = (object: KubeObject): KubeObject => {
  if (object.kind !== 'AccessRequest') return object
  const { name } = object.metadata
  if (name !== '')
    throw invalidObject(refOf(object), [
      {
        field: 'metadata.name',
        reason: 'FieldValueForbidden',
        message: 'Forbidden: the controller names a request: give metadata.generateName',
      },
    ])
  return { ...object, metadata: { ...object.metadata, generateName: 'req-' } }
}

/** The request with its status, stored. */
export const createRequest = async (
  session: WriteSession,
  object: KubeObject,
): Promise<StoredRow> => {
  const ref = refOf(object)
  const person = personOf(session, object)
  const { chosen, faults } = chosenFor(session, object)
  const policies = policiesAmong(chosen)
  const { duration, emergency = false } = specOf('AccessRequest', object)
  const longest = longestOf(policies, emergency)
  if (duration !== undefined && policies.length > 0 && durationMs(duration) > longest)
    faults.push(fault('spec.duration', `the policy gives ${durationText(longest)} at most`))
  if (faults.length > 0) throw invalidObject(ref, faults)
  checkRequester(session, object, policies)
  checkCount(session, object, person.id)
  const asked = { ...object, status: { ...statusOfNew(session, object, { chosen, policies }) } }
  const members = await membersFor(session, projectOfRequest(object))
  const standing = standingOf(session, asked, members)
  const request = withStatusOwner(
    withStanding(asked, standing, session.now),
    undefined,
    session.now,
  )
  const { digest } = standing
  const detail = {
    project: projectOfRequest(object).name,
    digest,
    secrets: chosen.map(({ row }) => row.object.metadata.name).sort(),
    policies: policies.map(({ name, generation }) => ({ name, generation })),
    durationSeconds: asked.status.durationSeconds,
    ...(emergency && { emergency }),
  }
  const action = emergency ? 'break glass' : 'request access'
  const row = session.put(request, session.actor.source, undefined, { action, detail })
  tell(session, row.object, policies)
  if (emergency) noteGlass(session, row.object)
  return session.require(ref)
}

/** An emergency of whoever has come in by the controller's own machine. */
export const createEmergency = async (
  session: WriteSession,
  project: Place,
  reason: string,
): Promise<void> => {
  const { namespace, name } = project
  const admitted = admit(
    withOwnName({
      apiVersion,
      kind: 'AccessRequest',
      metadata: { name: '', namespace },
      spec: {
        projectRef: { name },
        reason: reason.padEnd(3, '.').slice(0, 1_000),
        emergency: true,
      },
    }),
  )
  const { source } = session.actor
  const metadata = newMetadata(session, admitted, { uid: randomUUID(), source })
  await createRequest(session, { ...admitted, metadata })
}
