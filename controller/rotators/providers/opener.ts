// Opens rotators with what they need of this controller: its agents, and the values that are in use.
import { defined } from '../../../src/kernel/defined.ts'
import { StepFault } from '../../../src/databases/step.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import type { ObjectOf } from '../../../src/kinds/typed.ts'
import type { Store } from '../../../src/store/store.ts'
import { agentKeyOf } from '../../../src/protocol/agent-key.ts'
import type { AgentTaskRunner } from '../../../src/protocol/tasks.ts'
import { reconcilerActor } from '../../reconcilers/actor.ts'
import { openRotator, type OpenRotator } from './open-rotator.ts'
import type { RotationAt, RunTask } from './rotator.ts'

export interface RotatorOpenerDeps {
  readonly store: Pick<Store, 'get' | 'revealSecret'>
  readonly tasks: AgentTaskRunner
}

export const createRotatorOpener =
  (deps: RotatorOpenerDeps): OpenRotator =>
  (at, more) =>
    openRotator(at, {
      ...more,
      task: taskIn(deps, at),
      current: () => (at.isRefused === true ? Promise.resolve({}) : currentOf(deps, at)),
    })

/** Why no machine can ever answer, as things are. */
const whyNobody = (agent: ObjectOf<'Agent'> | undefined): string | undefined => {
  if (agent === undefined) return 'does not exist'
  const ready = findCondition(agent.status?.conditions, 'Ready')
  return ready?.reason === 'Revoked' ? 'was revoked' : undefined
}

/** The stagelet must be of the Rotation's own project: a name gives nobody the agent of another one. */
const taskIn =
  ({ store, tasks }: RotatorOpenerDeps, { namespace, spec }: RotationAt): RunTask =>
  async (name, task, signal) => {
    const stagelet = await store.get({ kind: 'Stagelet', namespace, name })
    if (stagelet?.spec.projectRef.name !== spec.projectRef.name)
      throw new StepFault(
        'Failed',
        `the project ${spec.projectRef.name} has no stagelet ${name}: correct rotator…in.stagelet`,
      )
    const agentName = stagelet.spec.agentRef.name
    const agent = await store.get({ kind: 'Agent', namespace, name: agentName })
    const away = whyNobody(agent)
    if (away !== undefined)
      throw new StepFault(
        'Unreachable',
        `agent ${agentName} of the stagelet ${name} ${away}: let a machine join by this name (stagely agent token create ${agentName} -n ${namespace}), or name another agent in the stagelet`,
      )
    const agentKey = agentKeyOf(namespace, agentName)
    return tasks.run(agentKey, { ...task, stageletUid: stagelet.metadata.uid ?? '' }, signal)
  }

const currentOf = async (
  { store }: RotatorOpenerDeps,
  { namespace, spec }: RotationAt,
): Promise<Record<string, string>> => {
  const values: Record<string, string | undefined> = {}
  for (const [output, name] of Object.entries(spec.outputs)) {
    const ref = { kind: 'StagelySecret', namespace, name } as const
    const secret = await store.get(ref)
    if (secret?.status?.version === undefined) continue
    const opened = await store.revealSecret(reconcilerActor, ref, { way: 'rotation' })
    values[output] = opened.value.toString('utf8')
  }
  return defined(values) as Record<string, string>
}
