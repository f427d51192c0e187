// A write of an AccessPolicy: what it has to hold, and what its status says.
import { approversOf, type MemberFacts } from '../../kinds/access-request/state.ts'
import { rolesWith } from '../../access/roles.ts'
import { toFineTimestamp } from '../../kernel/clock.ts'
import type { Fault } from '../../kernel/errors.ts'
import { withStatusOwner } from '../../managed-fields/status.ts'
import { withCondition } from '../../resources/conditions.ts'
import { keyOf, refOf, type KubeObject, type Place as NamedPlace } from '../../resources/meta.ts'
import { environmentsOf, namesOf } from '../../secrets/project-environments.ts'
import { specOf, statusOf } from '../../kinds/typed.ts'
import { withHint } from '../../search/near-name.ts'
import { invalidObject } from '../core/errors.ts'
import type { WriteSession } from '../core/write-session.ts'
import { readMachines, readMembers } from '../guard/people.ts'
import { policiesIn, toPolicy, type Policy } from '../guard/policies.ts'
import { setStatus } from './status-writes.ts'
import { finderIn } from '../places/places.ts'
import { term } from '../state/rows.ts'
import type { View } from '../state/state.ts'

type Objects = Pick<View, 'objects'>

const overlaps = (a: KubeObject, b: KubeObject): string | undefined => {
  const [one, two] = [specOf('AccessPolicy', a), specOf('AccessPolicy', b)]
  const meet =
    one.environments === undefined ||
    two.environments === undefined ||
    one.environments.some((name) => two.environments?.includes(name))
  return meet ? one.projects.find((project) => two.projects.includes(project)) : undefined
}

const duplicates = (view: Objects, policy: KubeObject): Fault[] => {
  const { projects } = specOf('AccessPolicy', policy)
  return policiesIn(view, refOf(policy).namespace)
    .filter((other) => keyOf(refOf(other)) !== keyOf(refOf(policy)))
    .flatMap((other): Fault[] => {
      const project = overlaps(policy, other)
      if (project === undefined) return []
      const field = `spec.projects[${projects.indexOf(project)}]`
      const message = `Duplicate value: ${JSON.stringify(project)}: AccessPolicy "${other.metadata.name}" guards it already: a project, or an environment of it, has one policy at most`
      return [{ field, reason: 'FieldValueDuplicate', message }]
    })
}

/** A mistyped environment would guard nothing. A project may come later. */
const unlisted = (view: Objects, policy: KubeObject): Fault[] => {
  const { projects, environments = [] } = specOf('AccessPolicy', policy)
  const { namespace } = refOf(policy)
  return projects.flatMap((name) => {
    const project = finderIn(view)({ kind: 'Project', namespace, name })
    if (project === undefined) return []
    const listed = namesOf(environmentsOf(project))
    return environments.flatMap((environment, i): Fault[] =>
      listed.includes(environment)
        ? []
        : [
            {
              field: `spec.environments[${i}]`,
              reason: 'FieldValueNotSupported',
              message: `Unsupported value: ${JSON.stringify(environment)}: environments of project "${name}": ${withHint(environment, listed) || 'none'}`,
            },
          ],
    )
  })
}

const usableOf = (
  { count }: Pick<Policy, 'count'>,
  approvers: readonly MemberFacts[],
): { status: 'True' | 'False'; reason: string; message: string } => {
  const people = `${approvers.length} may approve`
  if (approvers.length < count)
    return {
      status: 'False',
      reason: 'TooFewApprovers',
      message: `${people}, and ${count} have to: lower approvals.count, or name more roles or users`,
    }
  return approvers.length === count
    ? {
        status: 'True',
        reason: 'NoneToSpare',
        message: `${people}, and ${count} have to: none of them can ask for access and have it approved`,
      }
    : { status: 'True', reason: 'Usable', message: `${people}, and ${count} have to` }
}

/** Whether somebody hears of an emergency in each of the projects. */
const notifiedOf = (
  session: WriteSession,
  policy: KubeObject,
): { status: 'True' | 'False'; reason: string; message: string } => {
  const told = session
    .select(term.notifiersIn(refOf(policy).namespace))
    .map(({ object }) => specOf('Notifier', object))
    .filter(({ reasons }) => reasons.includes('GlassBroken'))
  const silent = specOf('AccessPolicy', policy).projects.filter((project) =>
    told.every(({ projects }) => projects?.includes(project) === false),
  )
  if (silent.length === 0)
    return { status: 'True', reason: 'Notified', message: 'a Notifier tells of each emergency' }
  const message = `no Notifier tells of an emergency in ${silent.slice(0, 5).join(', ')}: give one the reason GlassBroken`
  return { status: 'False', reason: 'NoNotifier', message }
}

/** The policy with the status of now. */
const withPolicyStatus = async (
  session: WriteSession,
  object: KubeObject,
  { isNew }: { readonly isNew: boolean },
): Promise<KubeObject> => {
  const { namespace } = refOf(object)
  const { changedAt: before, conditions = [] } = statusOf('AccessPolicy', object)
  const policy = toPolicy(object)
  const approvers = approversOf(
    policy,
    await readMembers(session.tx, namespace, policy.users),
    undefined,
  )
  // To the millisecond: a token that was made in the same second is older or not.
  const now = toFineTimestamp(session.nowMs)
  const changedAt = isNew ? now : (before ?? now)
  const roles = rolesWith('get', 'stagelysecrets/value')
  const machines = await readMachines(session.tx, namespace, roles)
  const without = machines.filter(
    ({ name, since }) => !policy.machines.includes(name) || since > Date.parse(changedAt),
  )
  const observedGeneration = object.metadata.generation ?? 1
  const usable = { type: 'Usable', ...usableOf(policy, approvers), observedGeneration }
  const told = { type: 'EmergencyNotified', ...notifiedOf(session, object), observedGeneration }
  const status = {
    observedGeneration,
    changedAt,
    approvers: approvers.length,
    ...(without.length > 0 && {
      machinesWithout: [...new Set(without.map(({ name }) => name))].slice(0, 100),
    }),
    conditions: withCondition(withCondition(conditions, usable, session.now), told, session.now),
  }
  return { ...object, status }
}

/** Of a policy with a new spec: Invalid where it breaks a rule, and else the object with its status. Other kinds stay as they are. */
export const preparePolicy = async (
  session: WriteSession,
  object: KubeObject,
  before: KubeObject | undefined,
): Promise<KubeObject> => {
  if (object.kind !== 'AccessPolicy') return object
  const faults = [...duplicates(session.view, object), ...unlisted(session.view, object)]
  if (faults.length > 0) throw invalidObject(refOf(object), faults)
  const next = await withPolicyStatus(session, object, { isNew: true })
  return withStatusOwner(next, before, session.now)
}

/** Where people or tokens have come or gone. */
export const settlePolicy = async (session: WriteSession, ref: NamedPlace): Promise<void> => {
  const row = session.fetch({ kind: 'AccessPolicy', ...ref })
  if (row === undefined) return
  const next = await withPolicyStatus(session, row.object, { isNew: false })
  setStatus(session, next)
}

/** For the audit log, which keeps no names of people: a report reads there what was in force on a day. */
export const policyDetail = (policy: KubeObject): Record<string, unknown> => {
  const { approvals = {}, breakGlass, ...spec } = specOf('AccessPolicy', policy)
  const { generation = 1 } = policy.metadata
  const { users = [], ...rest } = approvals
  return {
    generation,
    policy: {
      ...spec,
      approvals: { ...rest, users: users.length },
      ...(breakGlass && { breakGlass: { ...breakGlass, users: breakGlass.users.length } }),
    },
  }
}
