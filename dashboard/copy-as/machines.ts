// What somebody does with agents, stores elsewhere, notifiers and keys.
import type { Agent } from '../../src/rest/types.ts'
import { idOf, type Doing } from './doing.ts'

type Named = Pick<Agent, 'team' | 'name'>
const agentPath = ({ team, name }: Named): string => `/agents/${idOf(team, name)}`

/** A machine joins by a token of an agent that is there; `stagely` makes the agent, too. */
export const joinDoing = (agent: Named, ttlSeconds: number): Doing => ({
  name: `Let a machine join as ${agent.name}`,
  rest: {
    method: 'POST',
    path: `${agentPath(agent)}/join-token`,
    body: { ttl_seconds: ttlSeconds },
  },
  stagely: {
    words: [
      ...['agent', 'token', 'create', '-n', agent.team, '--name', agent.name],
      ...['--ttl', `${ttlSeconds.toString()}s`],
    ],
  },
})

export const nameAgentDoing = ({ team, name }: Named): Doing => ({
  name: `Name the machine ${name}`,
  rest: { method: 'POST', path: '/agents', body: { team, name } },
  objects: {
    namespace: team,
    list: [
      {
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'Agent',
        metadata: { name, namespace: team },
        spec: {},
      },
    ],
  },
})

/** Pauses or drains an agent, or ends that. */
export const switchAgentDoing = (
  agent: Named & Pick<Agent, 'paused' | 'drained'>,
  field: 'paused' | 'drained',
): Doing => {
  const { team, name } = agent
  const next = { [field]: !agent[field] }
  const verb = field === 'paused' ? 'Pause' : 'Drain'
  return {
    name: agent[field] ? `End: ${verb.toLowerCase()} ${name}` : `${verb} ${name}`,
    rest: { method: 'PATCH', path: agentPath(agent), body: next },
    ...(field !== 'paused' && {
      stagely: { words: ['agent', agent.drained ? 'undrain' : 'drain', name, '-n', team] },
    }),
    kubectl: [
      ...['patch', '-n', team, 'agent', name, '--type', 'merge'],
      ...['-p', JSON.stringify({ spec: next })],
    ],
  }
}

export const rotateAgentDoing = (agent: Named): Doing => ({
  name: `New keys for ${agent.name}`,
  rest: { method: 'POST', path: `${agentPath(agent)}/rotate-keys` },
  stagely: { words: ['agent', 'rotate-keys', agent.name, '-n', agent.team] },
})

export const revokeDoing = (agent: Named): Doing => ({
  name: `Revoke ${agent.name}`,
  rest: { method: 'POST', path: `${agentPath(agent)}/revoke` },
  stagely: { words: ['agent', 'revoke', agent.name, '-n', agent.team, '--yes'] },
})

/** Of one project, or of all. */
export const rotateKeysDoing = (kind: 'data' | 'master', project?: Named): Doing => ({
  name:
    project !== undefined
      ? `Rotate the data key of ${project.name}`
      : kind === 'data'
        ? 'Rotate all data keys'
        : 'Wrap all keys anew',
  rest: {
    method: 'POST',
    path: '/keys/rotations',
    body:
      project === undefined ? { kind } : { kind, project_id: `${project.team}/${project.name}` },
  },
  stagely: {
    words: [
      ...['keys', 'rotate'],
      ...(project === undefined
        ? [kind === 'data' ? '--all' : '--master']
        : ['-n', project.team, '--project', project.name]),
    ],
  },
})

/** Looks at a store now, asks whether it takes the credential, or lets go on what a brake holds. */
export const askStoreDoing = (
  { team, name }: Named,
  verb: 'refresh' | 'check' | 'resume',
): Doing => ({
  name: `${verb[0]?.toUpperCase() ?? ''}${verb.slice(1)} the store ${name}`,
  rest: {
    method: 'POST',
    path: `/stores/${idOf(team, name)}/${verb}`,
    ...(verb === 'refresh' && { body: {} }),
  },
  stagely: { words: ['stores', verb, name, '-n', team] },
})

export const testNotifierDoing = ({ team, name }: Named): Doing => ({
  name: `Test the notifier ${name}`,
  rest: { method: 'POST', path: `/notifiers/${idOf(team, name)}/test` },
  stagely: { words: ['notifiers', 'test', name, '-n', team] },
})
