// A project with stagelets that stand differently with its newest revision.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import type { AgentObject, RolloutInput } from '../../../controller/reconcilers/rollout/gather.ts'
import { annotations } from '../../../src/resources/meta.ts'
import type { RolloutSpec } from '../../../src/kinds/project/schema.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { anEntry, aStagelet } from '../builders.ts'

export const now = Date.parse('2026-01-01T12:00:00Z')
export const ago = (seconds: number): string => toFineTimestamp(now - seconds * 1000)

export const anAgent = (
  name: string,
  over: { away?: number; drained?: boolean } = {},
): AgentObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Agent',
  metadata: { name, namespace: 'default' },
  spec: over.drained === true ? { drained: true } : {},
  status: {
    conditions: [
      {
        type: 'Ready',
        status: over.away === undefined ? 'True' : 'Unknown',
        reason: over.away === undefined ? 'Connected' : 'Disconnected',
        message: '',
        lastTransitionTime: ago(over.away ?? 3600),
      },
    ],
  },
})

export type Fleet = Record<string, StageletStatus & { retry?: string; paused?: boolean }>

/** Revision 5 is closed; each stagelet `x` runs on agent `agent-x`. */
export const aFleet = (
  fleet: Fleet,
  rollout: Partial<RolloutSpec> | undefined,
  over: Partial<RolloutInput> & { resumed?: string } = {},
): RolloutInput => ({
  now,
  closed: 5,
  project: {
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'Project',
    metadata: {
      name: 'shop',
      namespace: 'default',
      generation: 3,
      ...(over.resumed === undefined
        ? {}
        : { annotations: { [annotations.resumed]: over.resumed } }),
    },
    spec:
      rollout === undefined
        ? {}
        : { rollout: { progressDeadlineSeconds: 600, onFailure: 'Stop', ...rollout } },
  },
  head: { projectUid: 'p', epoch: 1, revision: 5, entries: [anEntry({ key: 'A' })] },
  stagelets: Object.entries(fleet).map(([name, { retry, paused, ...status }]) => {
    const base = aStagelet()
    return {
      ...base,
      metadata: {
        ...base.metadata,
        name,
        ...(retry === undefined ? {} : { annotations: { [annotations.retry]: retry } }),
      },
      spec: {
        ...base.spec,
        agentRef: { name: `agent-${name}` },
        ...(paused === undefined ? {} : { paused }),
      },
      status,
    }
  }),
  agents: new Map(
    Object.keys(fleet).map((name) => [`agent-${name}`, anAgent(`agent-${name}`)] as const),
  ),
  ...over,
})

export const settled = (revision: number): StageletStatus => ({
  wantedRevision: revision,
  healthyRevision: revision,
})
export const admitted = (at = 1, revision = 5): StageletStatus => ({
  wantedRevision: revision,
  healthyRevision: 4,
  admitted: { revision, at: ago(at), retry: '' },
})
export const rolledBack = (): StageletStatus => ({
  ...admitted(),
  wantedRevision: 4,
  quarantine: [
    {
      service: 'web',
      digest: serviceDigest([anEntry({ key: 'A' })]) ?? '',
      revision: 5,
      retry: '',
      message: 'web exited with 1',
    },
  ],
})
