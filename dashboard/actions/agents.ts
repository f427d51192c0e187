// Actions on agents, stores, notifiers and keys.
import type { Agent } from '../../src/generated/rest-types.ts'
import { objectId, requestApi } from '../api/request.ts'
import type { ApiAction } from './copy-as.ts'
import { patchObject } from './kinds.ts'

type Named = Pick<Agent, 'team' | 'name'>

/** A machine joins by a token of an agent that is there; `stagely` makes the agent, too. */
export const createJoinToken = (agent: Named, ttlSeconds: number) => ({
  name: `Let a machine join as ${agent.name}`,
  request: requestApi(
    'post',
    '/agents/{agent_id}/join-token',
    { agent_id: objectId(agent) },
    { ttl_seconds: ttlSeconds },
  ),
  stagely: [
    ...['agent', 'token', 'create', '-n', agent.team, '--name', agent.name],
    ...['--ttl', `${ttlSeconds.toString()}s`],
  ],
})

/** Pauses or drains an agent, or ends that. */
export const switchAgent = (
  agent: Named & Pick<Agent, 'paused' | 'drained'>,
  field: 'paused' | 'drained',
): ApiAction => {
  const { team, name } = agent
  const [start, end] = field === 'paused' ? ['Pause', 'Resume'] : ['Drain', 'Stop draining']
  const body = { [field]: !agent[field] }
  return {
    ...patchObject('Agent', agent, body, body),
    name: `${agent[field] ? end : start} ${name}`,
    ...(field === 'drained' && {
      stagely: ['agent', agent.drained ? 'undrain' : 'drain', name, '-n', team],
    }),
  }
}

export const rotateAgentKeys = (agent: Named): ApiAction => ({
  name: `Rotate the keys of ${agent.name}`,
  request: requestApi('post', '/agents/{agent_id}/rotate-keys', { agent_id: objectId(agent) }),
  stagely: ['admin', 'agent-keys', agent.name, '-n', agent.team],
})

export const revokeAgent = (agent: Named): ApiAction => ({
  name: `Revoke ${agent.name}`,
  request: requestApi('post', '/agents/{agent_id}/revoke', { agent_id: objectId(agent) }),
  stagely: ['agent', 'revoke', agent.name, '-n', agent.team, '--yes'],
})

/** Of one project, or of all. */
export const rotateKeys = (kind: 'data' | 'master', project?: Named): ApiAction => ({
  name:
    project !== undefined
      ? `Rotate the data key of ${project.name}`
      : kind === 'data'
        ? 'Rotate all data keys'
        : 'Re-wrap all keys',
  request: requestApi(
    'post',
    '/keys/rotations',
    {},
    project === undefined ? { kind } : { kind, project_id: objectId(project) },
  ),
  stagely: [
    ...['admin', 'keys', 'rotate'],
    ...(project === undefined
      ? [kind === 'data' ? '--all' : '--master']
      : ['-n', project.team, '--project', project.name]),
  ],
})

export type StoreVerb = 'refresh' | 'check' | 'resume'

/** Reads a store now, checks its credential, or lets go on what the deletion guard holds. */
export const askStore = (store: Named, verb: StoreVerb): ApiAction => {
  const { team, name } = store
  const parts = { store_id: objectId(store) }
  return {
    name: `${verb[0]?.toUpperCase() ?? ''}${verb.slice(1)} the store ${name}`,
    request:
      verb === 'refresh'
        ? requestApi('post', '/stores/{store_id}/refresh', parts, {})
        : requestApi('post', `/stores/{store_id}/${verb}`, parts),
    stagely: ['stores', verb, name, '-n', team],
  }
}

export const testNotifier = (notifier: Named) => ({
  name: `Test the notifier ${notifier.name}`,
  request: requestApi('post', '/notifiers/{notifier_id}/test', { notifier_id: objectId(notifier) }),
  stagely: ['notifiers', 'test', notifier.name, '-n', notifier.team],
})
