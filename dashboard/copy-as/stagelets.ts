// What somebody does with stagelets and rollouts.
import type { Stagelet } from '../../src/rest/types.ts'
import { idOf, type Doing } from './doing.ts'
import type { Json, Word } from './text.ts'

type Named = Pick<Stagelet, 'team' | 'name'>
export type PausedStagelet = Pick<
  Stagelet,
  'team' | 'name' | 'project' | 'agent' | 'compose' | 'paused'
>

const stageletPath = ({ team, name }: Named): string => `/stagelets/${idOf(team, name)}`

/** Another one at each run. */
const stamp = '$(date -u +%Y-%m-%dT%H:%M:%SZ)'

const annotate = (kind: string, { team, name }: Named, annotation: string): Word[] => [
  ...['annotate', '-n', team, kind, name],
  { raw: `"stagely.dev/${annotation}=${stamp}"` },
  '--overwrite',
]

const camelCase = (text: string): string =>
  text.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

const specOf = ({ project, agent, compose }: PausedStagelet): Record<string, Json> => ({
  projectRef: { name: project },
  agentRef: { name: agent },
  compose: Object.fromEntries(
    Object.entries(compose).map(([name, value]) => [camelCase(name), value]),
  ),
})

/** Pauses a stagelet, or goes on with a paused one. */
export const pauseDoing = (stagelet: PausedStagelet): Doing => {
  const { team, name, paused } = stagelet
  return {
    name: `${paused ? 'Resume' : 'Pause'} ${name}`,
    rest: { method: 'PATCH', path: stageletPath(stagelet), body: { paused: !paused } },
    stagely: {
      words: ['rollout', paused ? 'resume' : 'pause', `stagelet/${name}`, '-n', team],
    },
    objects: {
      namespace: team,
      list: [
        {
          apiVersion: 'stagely.dev/v1alpha1',
          kind: 'Stagelet',
          metadata: { name, namespace: team },
          spec: { ...specOf(stagelet), paused: !paused },
        },
      ],
    },
    kubectl: [
      ...['patch', '-n', team, 'stagelet', name, '--type', 'merge'],
      ...['-p', JSON.stringify({ spec: { paused: !paused } })],
    ],
  }
}

export const deployDoing = (stagelet: Named): Doing => ({
  name: `Deploy ${stagelet.name}`,
  rest: { method: 'POST', path: `${stageletPath(stagelet)}/deploy` },
  stagely: { words: ['deploy', stagelet.name, '-n', stagelet.team] },
  kubectl: annotate('stagelet', stagelet, 'redeploy'),
})

export const retryDoing = (stagelet: Named): Doing => ({
  name: `Retry ${stagelet.name}`,
  rest: { method: 'POST', path: `${stageletPath(stagelet)}/retry` },
  stagely: { words: ['rollout', 'retry', `stagelet/${stagelet.name}`, '-n', stagelet.team] },
  kubectl: annotate('stagelet', stagelet, 'retry'),
})

export const leakTestDoing = (stagelet: Named): Doing => ({
  name: `Leak test of ${stagelet.name}`,
  rest: { method: 'POST', path: `${stageletPath(stagelet)}/leak-tests`, body: {} },
  stagely: { words: ['leak-test', stagelet.name, '-n', stagelet.team] },
})

const rolloutPath = ({ team, name }: Named): string => `/projects/${idOf(team, name)}/rollout`

export const pauseRolloutDoing = (project: Named): Doing => ({
  name: `Pause the rollout of ${project.name}`,
  rest: { method: 'POST', path: `${rolloutPath(project)}/pause` },
  stagely: { words: ['rollout', 'pause', `project/${project.name}`, '-n', project.team] },
  kubectl: [
    ...['patch', '-n', project.team, 'project.stagely.dev', project.name, '--type', 'merge'],
    ...['-p', JSON.stringify({ spec: { rollout: { paused: true } } })],
  ],
})

export const resumeRolloutDoing = (project: Named): Doing => ({
  name: `Resume the rollout of ${project.name}`,
  rest: { method: 'POST', path: `${rolloutPath(project)}/resume` },
  stagely: { words: ['rollout', 'resume', `project/${project.name}`, '-n', project.team] },
  kubectl: [
    ...['patch', '-n', project.team, 'project.stagely.dev', project.name, '--type', 'merge', '-p'],
    {
      raw: `'{"spec":{"rollout":{"paused":null}},"metadata":{"annotations":{"stagely.dev/resumed":"'"${stamp}"'"}}}'`,
    },
  ],
})

export const retryRolloutDoing = (project: Named): Doing => ({
  name: `Retry what failed in ${project.name}`,
  rest: { method: 'POST', path: `${rolloutPath(project)}/retry` },
  stagely: { words: ['rollout', 'retry', `project/${project.name}`, '-n', project.team] },
})
