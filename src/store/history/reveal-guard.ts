// The guard of values: whatever opens a value for a person or a machine asks here, in the write that audits it.
import { breakGlassName } from '../../access/break-glass.ts'
import { mayReveal, type Reader, type ReadSecret } from '../../kinds/access-request/may-reveal.ts'
import { rolesWith } from '../../access/roles.ts'
import { toTimestamp } from '../../kernel/clock.ts'
import { StagelyError } from '../../kernel/errors.ts'
import type { RequestedSecret } from '../../kinds/access-request/schema.ts'
import { refOf, type KubeObject, type Place } from '../../resources/meta.ts'
import { specOf, statusOf } from '../../kinds/typed.ts'
import { isForAll, isForController } from '../../secrets/place.ts'
import { type ProjectEntry } from '../../secrets/set-entry.ts'
import { rightsOf, type Actor } from '../core/actor.ts'
import type { ProjectState } from '../core/project-state.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { grantsOf, openRequests, type OpenRequest } from '../guard/grants.ts'
import { reasonOfBreakGlass } from '../guard/people.ts'
import { guardsOf, policiesOf, type Policy } from '../guard/policies.ts'
import { withStanding } from '../guard/standing.ts'
import { createEmergency } from '../objects/access-requests.ts'
import { putRequest } from '../objects/access-settling.ts'

const secretRow = (
  session: WriteSession,
  { namespace }: Place,
  { name, secretId }: ProjectEntry,
): StoredRow | undefined => {
  const row = session.fetch({ kind: 'StagelySecret', namespace, name })
  return row?.uid === secretId ? row : undefined
}

/** Where versions with the same value have counted: to move a secret takes no value out of what guards it. */
const formerPlaces = async (
  session: WriteSession,
  secret: KubeObject,
  { secretId, valueDigest }: ProjectEntry,
): Promise<KubeObject[]> => {
  const rows = await session.tx.query<{ stagelet: string | null; environments: string | null }>(
    `SELECT DISTINCT stagelet, environments::text AS environments FROM secret_versions
     WHERE secret_uid = $1 AND value_digest = $2`,
    [secretId, valueDigest],
  )
  const { stageletRef: _, environments: __, ...spec } = specOf('StagelySecret', secret)
  return rows.map(({ stagelet, environments }) => ({
    ...secret,
    spec: {
      ...spec,
      ...(stagelet !== null &&
        !isForController({ stagelet }) && { stageletRef: { name: stagelet } }),
      ...(environments !== null && { environments: JSON.parse(environments) as string[] }),
    },
  }))
}

interface Guarded extends ReadSecret {
  readonly entry: ProjectEntry
  readonly policies: readonly Policy[]
}

const guardedOf = async (
  session: WriteSession,
  place: Place,
  entries: readonly ProjectEntry[],
): Promise<Guarded[]> => {
  const policies = policiesOf(session.view, place)
  const isByEnvironment = policies.some(
    (policy) => specOf('AccessPolicy', policy).environments !== undefined,
  )
  const found: Guarded[] = []
  for (const entry of entries) {
    const row = policies.length === 0 ? undefined : secretRow(session, place, entry)
    const more = row && isByEnvironment ? await formerPlaces(session, row.object, entry) : []
    const guards = row ? guardsOf(session.view, row.object, more) : []
    found.push({ uid: entry.secretId, policies: guards, entry })
  }
  return found
}

const sinceOfToken = async (session: WriteSession, id: string): Promise<number | undefined> => {
  const [row] = await session.tx.query<{ since: number }>(
    'SELECT created_at AS since FROM tokens WHERE id = $1',
    [id],
  )
  return row?.since
}

const readerOf = async (
  session: WriteSession,
  { namespace }: Place,
  isGuarded: boolean,
): Promise<Reader> => {
  const { id = '', name, kind = 'user' } = session.actor
  const mayRead = rightsOf(session.actor).mayReadValues(namespace)
  if (kind === 'user') return { kind, id, name, mayRead }
  const since = isGuarded ? await sinceOfToken(session, id) : undefined
  return { kind, id, name: name.replace(/^machine:[^/]*\//, ''), mayRead, since }
}

const noRight = ({ name }: Actor, team: string): StagelyError =>
  new StagelyError(
    'Forbidden',
    `${name} may not get stagelysecrets/value in team ${JSON.stringify(team)}; roles that may: ${rolesWith('get', 'stagelysecrets/value').join(', ')}`,
    { denied: { why: 'Role', namespace: team } },
  )

const commandFor = (project: string, refused: readonly Guarded[]): string => {
  const shown = refused.slice(0, 5).map(({ entry }) => entry)
  const scopes = [...new Set(shown.map(({ scope }) => scope))]
  const [scope] = scopes
  const keys = refused.length > 5 ? [] : [...new Set(shown.map(({ key }) => key))]
  const isOne = keys.length > 0 && scopes.length === 1 && !shown.some(isForAll)
  return [
    'stagely access request',
    ...keys,
    ...(isOne ? [`--scope ${scope}`] : []),
    `-p ${project} --reason "…"`,
  ].join(' ')
}

const needsRequest = (
  { kind, name }: Actor,
  { namespace, name: project }: Place,
  refused: readonly Guarded[],
): StagelyError => {
  const policies = new Map(
    refused.flatMap(({ policies: guards }) => guards.map((policy) => [policy.name, policy])),
  )
  const names = [...policies.keys()].map((policy) => JSON.stringify(policy)).join(', ')
  const mayBreak = [...policies.values()].every(({ emergency }) => emergency.users.includes(name))
  const remedy =
    kind === 'machine'
      ? 'machines read nothing here: an owner may name this token in spec.machines, after the token was made'
      : `ask for access: ${commandFor(project, refused)}${mayBreak ? `; in an emergency: stagely access break-glass -p ${project} --reason "…"` : ''}`
  return new StagelyError(
    'AccessRequestNeeded',
    `values of project ${JSON.stringify(project)} are guarded by AccessPolicy ${names}: ${remedy}`,
    {
      kind: 'stagelysecrets',
      group: 'stagely.dev',
      denied: { why: 'Role', namespace },
    },
  )
}

const merged = (
  before: readonly RequestedSecret[],
  entries: readonly ProjectEntry[],
): RequestedSecret[] => {
  const all = new Map(before.map((secret) => [`${secret.uid} ${secret.version}`, secret]))
  for (const { secretId: uid, name, key, scope, version } of entries)
    all.set(`${uid} ${version}`, { name, uid, key, scope, version })
  return [...all.values()].slice(-1_000)
}

/** The first use starts the time of the grant. */
const noteUse = (
  session: WriteSession,
  { row, standing }: OpenRequest,
  read: readonly ProjectEntry[],
) => {
  const status = statusOf('AccessRequest', row.object)
  const { startedAt = session.now, durationSeconds = 0, uses = 0 } = status
  const used = {
    ...row.object,
    status: {
      ...status,
      startedAt,
      endsAt: toTimestamp(Date.parse(startedAt) + durationSeconds * 1000),
      uses: uses + 1,
      lastUsedAt: session.now,
      read: merged(status.read ?? [], read),
    },
  }
  const active = { ...standing, state: 'Active' as const, message: 'values may be read' }
  putRequest(session, { row, after: withStanding(used, active, session.now), standing })
}

/** An emergency that opens itself: whoever comes by `controller break-glass` has no other way. */
const withEmergency = async (
  session: WriteSession,
  project: ProjectState,
  before: readonly OpenRequest[],
): Promise<OpenRequest[]> => {
  if (session.actor.name !== breakGlassName || session.actor.kind !== 'user') return [...before]
  const why = (await reasonOfBreakGlass(session.tx)) ?? 'stagely controller break-glass'
  await createEmergency(session, project.ref, why)
  return openRequests(session, project.ref)
}

/**
 * Throws where one of the values may not leave to the actor, and else notes the use. Returns the name of the request by
 * which each secret is read, by uid: the audit names it.
 */
export const checkGrants = async (
  session: WriteSession,
  project: ProjectState,
  entries: readonly ProjectEntry[],
): Promise<ReadonlyMap<string, string>> => {
  const { actor } = session
  if (actor.source !== 'api') return new Map()
  // A plain value is no secret; but it is not revealed to who may reveal nothing.
  const masked = entries.filter(({ plain }) => plain !== true)
  const asked = await guardedOf(session, project.ref, masked.length === 0 ? entries : masked)
  const isGuarded = asked.some(({ policies }) => policies.length > 0)
  const reader = await readerOf(session, project.ref, isGuarded)
  let open = isGuarded || !reader.mayRead ? await openRequests(session, project.ref) : []
  let verdict = mayReveal(reader, asked, grantsOf(open))
  if (!verdict.may && verdict.why === 'RequestNeeded') {
    open = await withEmergency(session, project, open)
    verdict = mayReveal(reader, asked, grantsOf(open))
  }
  if (!verdict.may) {
    const { why, refused } = verdict
    if (why === 'NoRight') throw noRight(actor, project.ref.namespace)
    throw needsRequest(
      actor,
      project.ref,
      asked.filter(({ uid }) => refused.includes(uid)),
    )
  }
  const by = new Map<string, string>()
  for (const used of open.filter(({ row }) => verdict.uses.includes(refOf(row.object).name))) {
    const covered = new Set(
      statusOf('AccessRequest', used.row.object).secrets?.map(({ uid }) => uid),
    )
    const read = masked.filter(({ secretId }) => covered.has(secretId))
    for (const { secretId } of read) by.set(secretId, refOf(used.row.object).name)
    noteUse(session, used, read)
  }
  return by
}
