// Builders of valid objects; each takes what the test is about.
import type { ObservationSpec, ObservedService } from '../../src/kinds/observation/schema.ts'
import type { DesiredStagelet } from '../../src/protocol/messages.ts'
import type { SetEntry } from '../../src/secrets/visible.ts'
import type { TypedStagelet, StageletInput } from '../../controller/reconcilers/stagelet/facts.ts'

export const anEntry = (over: Partial<SetEntry> & { key: string }): SetEntry => ({
  secretId: `id-${over.key}-${over.scope ?? 'global'}`,
  name: over.key.toLowerCase(),
  version: 1,
  scope: 'global',
  type: 'env',
  bytes: 8,
  valueDigest: `digest-${over.key}-${over.scope ?? 'global'}-${over.version ?? 1}`,
  ...over,
})

export const aStagelet = (over: Partial<TypedStagelet> = {}): TypedStagelet => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Stagelet',
  metadata: {
    name: 'shop',
    namespace: 'default',
    uid: 'stagelet-uid',
    generation: 1,
    finalizers: ['stagely.dev/agent'],
  },
  spec: {
    projectRef: { name: 'shop' },
    agentRef: { name: 'box' },
    compose: { directory: '/srv/shop', onChange: 'Hold' },
    deletionPolicy: 'Retain',
  },
  ...over,
})

export const aDesired = (over: Partial<DesiredStagelet> = {}): DesiredStagelet => ({
  uid: 'uid',
  namespace: 'default',
  name: 'shop',
  generation: 1,
  projectUid: 'p',
  epoch: 1,
  order: 0,
  revision: 1,
  retry: '',
  compose: { directory: '/srv/shop', onChange: 'Hold' },
  paused: false,
  redeploy: '',
  ...over,
})

export const aService = (over: Partial<ObservedService> & { name: string }): ObservedService => ({
  digests: [''],
  containers: 1,
  state: 'running',
  restarts: 0,
  ...over,
})

export const anObservation = (over: Partial<ObservationSpec> = {}): ObservationSpec => ({
  agent: 'default/box',
  stageletUid: 'stagelet-uid',
  boot: 'boot-1',
  seq: 1,
  generation: 1,
  epoch: 1,
  revision: 1,
  phase: 'Settled',
  services: [],
  passed: {},
  pendingEdits: [],
  missingVariables: [],
  ...over,
})

/** A stagelet on a connected agent, with one closed revision of the given entries. */
export const anInput = (
  entries: readonly SetEntry[],
  over: Partial<StageletInput> = {},
): StageletInput => ({
  now: '2026-01-01T00:00:00Z',
  nowMs: Date.parse('2026-01-01T00:00:00Z'),
  stagelet: aStagelet(),
  projectExists: true,
  isStaged: false,
  agent: {
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'Agent',
    metadata: { name: 'box', namespace: 'default' },
    spec: {},
    status: {
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Connected',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    },
  },
  observation: undefined,
  revisions: { epoch: 1, closed: 1, closesAt: undefined, quietAt: 0 },
  head: { projectUid: 'p', epoch: 1, revision: 1, entries },
  closedSets: [{ projectUid: 'p', epoch: 1, revision: 1, entries }],
  authors: new Map(),
  ...over,
})
