import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../resources/meta.ts'
import {
  agentOutcome,
  appliedOutcome,
  deployOutcome,
  retryOutcome,
  secretOutcome,
  syncOutcome,
} from './wait-outcome.ts'

type Verdicts = Record<string, string>

/** `SecretsInSync: 'False RolledBack'` and so on, judged from the current spec. */
const conditionsOf = (verdicts: Verdicts, observedGeneration = 2): object[] =>
  Object.entries(verdicts).map(([type, text]) => {
    const [status, reason] = text.split(' ')
    const lastTransitionTime = '2026-01-01T10:00:00Z'
    const message = `${reason}, told whole\nlast log line`
    return { type, status, reason, message, lastTransitionTime, observedGeneration }
  })

const stagelet = (
  verdicts: Verdicts,
  over: { spec?: object; status?: object; deletionTimestamp?: string; judged?: number } = {},
): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Stagelet',
  metadata: {
    name: 'web',
    namespace: 'default',
    generation: 2,
    ...(over.deletionTimestamp === undefined ? {} : { deletionTimestamp: over.deletionTimestamp }),
  },
  spec: { projectRef: { name: 'shop' }, agentRef: { name: 'box' }, ...over.spec },
  status: { ...over.status, conditions: conditionsOf(verdicts, over.judged) },
})

const project = (state: string): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Project',
  metadata: { name: 'shop', namespace: 'default' },
  status: { rollout: { state, failed: ['other'] } },
})

const settled = { AgentReachable: 'True Connected', Progressing: 'False Settled' }
const moving = { AgentReachable: 'True Connected', Progressing: 'True Applying' }

/** `failed REASON`, `pending` or `done`. */
const said = (end: ReturnType<typeof syncOutcome>): string =>
  end.kind === 'failed' ? `failed ${end.reason}` : end.kind

describe('the end of a wait for a stagelet to be in sync', () => {
  const table: [string, Verdicts, string][] = [
    ['in sync', { ...settled, SecretsInSync: 'True InSync' }, 'done'],
    ['on its way', { ...moving, SecretsInSync: 'False NewRevision' }, 'pending'],
    ['being rolled out', { ...moving, SecretsInSync: 'False RollingOut' }, 'pending'],
    ['not seen yet', { ...settled, SecretsInSync: 'False NoReport' }, 'pending'],
    ['healing', { ...settled, SecretsInSync: 'False OutOfSync' }, 'pending'],
    [
      'without an engine for now',
      { ...settled, SecretsInSync: 'Unknown EngineUnavailable' },
      'pending',
    ],
    [
      'without Compose for now',
      { ...settled, SecretsInSync: 'False ComposeUnavailable' },
      'pending',
    ],
    [
      'held back until a deploy',
      { ...settled, SecretsInSync: 'False PendingEdits' },
      'failed PendingEdits',
    ],
    ['rolling back', { ...moving, SecretsInSync: 'False RolledBack' }, 'pending'],
    ['rolled back', { ...settled, SecretsInSync: 'False RolledBack' }, 'failed RolledBack'],
    ['failed', { ...settled, SecretsInSync: 'False RolloutFailed' }, 'failed RolloutFailed'],
    ['tried again', { ...moving, SecretsInSync: 'False RolloutFailed' }, 'pending'],
    ...[
      'DirectoryNotAllowed',
      'DirectoryMissing',
      'ProjectClaimed',
      'ProjectRenamed',
      'NotAdopted',
      'WritableByContainer',
      'ProjectMissing',
      'ComposeInvalid',
      'ValueInvalid',
      'FileNotMountable',
      'FileNotWritten',
      'FileNotDelivered',
      'VariableMissing',
      'NoTmpfs',
      'FilesDirUnsafe',
    ].map((reason): [string, Verdicts, string] => [
      `held by the fault ${reason}`,
      { ...settled, SecretsInSync: `False ${reason}` },
      `failed ${reason}`,
    ]),
    [
      'faulty while the agent takes something newer',
      { ...moving, SecretsInSync: 'False ComposeInvalid' },
      'pending',
    ],
    [
      'paused by its agent',
      {
        AgentReachable: 'True Connected',
        Progressing: 'False Paused',
        SecretsInSync: 'False Paused',
      },
      'failed Paused',
    ],
    [
      'drained',
      {
        AgentReachable: 'True Connected',
        Progressing: 'False AgentDrained',
        SecretsInSync: 'False AgentDrained',
      },
      'failed AgentDrained',
    ],
    [
      'stopped by hand',
      { ...settled, Drifted: 'True StoppedByHand', SecretsInSync: 'False OutOfSync' },
      'failed StoppedByHand',
    ],
    [
      'of no agent',
      { AgentReachable: 'False AgentMissing', SecretsInSync: 'False NoReport' },
      'failed AgentMissing',
    ],
    [
      'of a revoked agent',
      { AgentReachable: 'False Revoked', SecretsInSync: 'False NewRevision' },
      'failed Revoked',
    ],
    [
      'of an agent that is away, whatever was last seen',
      { AgentReachable: 'False Disconnected', SecretsInSync: 'False RolledBack' },
      'pending',
    ],
    [
      'not known for its agent is away',
      { AgentReachable: 'Unknown AgentAway', SecretsInSync: 'Unknown AgentAway' },
      'pending',
    ],
    [
      'of an agent that has yet to join',
      { AgentReachable: 'False NeverJoined', SecretsInSync: 'False NoReport' },
      'pending',
    ],
    ['not judged', {}, 'pending'],
  ]

  it.each(table)('%s', (_title, verdicts, expected) => {
    expect(said(syncOutcome(stagelet(verdicts)))).toBe(expected)
  })

  it('tells the whole message of a failure: who is to blame, and the last log line', () => {
    const end = syncOutcome(stagelet({ ...settled, SecretsInSync: 'False RolledBack' }))
    expect(end.message).toBe('RolledBack, told whole\nlast log line')
  })

  it('says whom it waits for, and since when', () => {
    const verdicts = { AgentReachable: 'False Disconnected', SecretsInSync: 'False NewRevision' }
    expect(syncOutcome(stagelet(verdicts)).message).toBe(
      'waits for agent "box", which is not connected (Disconnected) since 2026-01-01T10:00:00Z',
    )
  })

  it('dates that by when the agent was last seen, where that is known', () => {
    const verdicts = { AgentReachable: 'False Disconnected', SecretsInSync: 'Unknown AgentAway' }
    const object = stagelet(verdicts)
    const lastSeen = { at: '2026-01-01T09:59:40Z', conditions: [] }
    const reported = { ...object, status: { ...object.status, lastSeen } }
    expect(syncOutcome(reported).message).toMatch(/ since 2026-01-01T09:59:40Z$/)
  })

  it('takes no condition of an older spec for an end', () => {
    const old = stagelet({ ...settled, SecretsInSync: 'True InSync' }, { judged: 1 })
    expect(said(syncOutcome(old))).toBe('pending')
    const fault = stagelet({ SecretsInSync: 'False DirectoryNotAllowed' }, { judged: 1 })
    expect(said(syncOutcome(fault))).toBe('pending')
  })

  it('is over for one that is paused, deleted or not there', () => {
    const late = { ...settled, SecretsInSync: 'False NewRevision' }
    expect(said(syncOutcome(stagelet(late, { spec: { paused: true } })))).toBe('failed Paused')
    const inSync = stagelet({ SecretsInSync: 'True InSync' }, { spec: { paused: true } })
    expect(said(syncOutcome(inSync))).toBe('done')
    const pending = stagelet({ SecretsInSync: 'True InSync' }, { deletionTimestamp: 'now' })
    expect(said(syncOutcome(pending))).toBe('failed Deleted')
    expect(said(syncOutcome(undefined))).toBe('failed NotFound')
  })

  it('asks the project of one that waits for its turn', () => {
    const waits = stagelet({
      AgentReachable: 'True Connected',
      Progressing: 'False AwaitingTurn',
      SecretsInSync: 'False AwaitingTurn',
    })
    expect(syncOutcome(waits)).toMatchObject({ kind: 'pending', turnIn: 'shop' })
    const states = ['Progressing', 'Complete', 'Paused', 'Stopped', 'Braked']
    expect(states.map((state) => said(syncOutcome(waits, project(state))))).toEqual([
      'pending',
      'pending',
      'failed RolloutPaused',
      'failed RolloutStopped',
      'failed RolloutBraked',
    ])
  })
})

describe('the end of a retry', () => {
  it('is not the failure that is tried again', () => {
    const end = (verdicts: Verdicts, startedAt: string): string => {
      const lastRollout = { startedAt, result: 'RolledBack' }
      return said(retryOutcome(stagelet(verdicts, { status: { lastRollout } }), 'before'))
    }
    const back = { ...settled, SecretsInSync: 'False RolledBack' }
    expect(end(back, 'before')).toBe('pending')
    expect(end(back, 'after')).toBe('failed RolledBack')
    expect(end({ ...settled, SecretsInSync: 'True InSync' }, 'before')).toBe('done')
    const refused = { ...settled, SecretsInSync: 'False DirectoryNotAllowed' }
    expect(end(refused, 'before')).toBe('failed DirectoryNotAllowed')
    const held = { ...settled, SecretsInSync: 'False PendingEdits' }
    expect(end(held, 'before')).toBe('failed PendingEdits')
  })
})

describe('the end of a deploy', () => {
  const inSync = { ...settled, SecretsInSync: 'True InSync' }
  const end = (verdicts: Verdicts, lastRollout?: object): string =>
    said(deployOutcome(stagelet(verdicts, { status: { lastRollout } }), 'before'))

  it('is that of the rollout that it began', () => {
    expect(end(inSync)).toBe('pending')
    expect(end(inSync, { startedAt: 'before', result: 'Healthy' })).toBe('pending')
    expect(end(inSync, { startedAt: 'after', result: 'Progressing' })).toBe('pending')
    expect(end(inSync, { startedAt: 'after', result: 'Healthy' })).toBe('done')
    expect(end(inSync, { startedAt: 'after', result: 'Failed' })).toBe('failed RolloutFailed')
    const back = { ...settled, SecretsInSync: 'False RolledBack' }
    expect(end(back, { startedAt: 'after', result: 'RolledBack' })).toBe('failed RolledBack')
  })

  it('is no failure of before, but one that keeps it from beginning', () => {
    const before = { startedAt: 'before', result: 'Failed' }
    expect(end({ ...settled, SecretsInSync: 'False RolledBack' }, before)).toBe('pending')
    expect(end({ ...settled, SecretsInSync: 'False KeysMissing' })).toBe('pending')
    expect(end({ ...settled, SecretsInSync: 'False PendingEdits' })).toBe('pending')
    const stopped = { ...settled, Drifted: 'True StoppedByHand', SecretsInSync: 'False OutOfSync' }
    expect(end(stopped)).toBe('pending')
    expect(end(stopped, { startedAt: 'after', result: 'Progressing' })).toBe('pending')
    expect(end(stopped, { startedAt: 'after', result: 'Healthy' })).toBe('failed StoppedByHand')
    const paused = { AgentReachable: 'True Connected', Progressing: 'False Paused' }
    expect(end({ ...paused, SecretsInSync: 'False Paused' }, before)).toBe('failed Paused')
  })
})

describe('the end of a wait for a secret', () => {
  it.each([
    [{ Accepted: 'True Accepted', InSync: 'True InSync' }, 'done'],
    [{ Accepted: 'True Accepted', InSync: 'False NewVersion' }, 'pending'],
    [{ Accepted: 'True Accepted', InSync: 'False NewReferredValue' }, 'pending'],
    [{ Accepted: 'True Accepted', InSync: 'Unknown NoReport' }, 'pending'],
    [{ Accepted: 'True Accepted', InSync: 'False FileNotMounted' }, 'failed FileNotMounted'],
    [{ Accepted: 'False Duplicate' }, 'failed Duplicate'],
    [{ Accepted: 'False ValueMissing', InSync: 'False ValueMissing' }, 'failed ValueMissing'],
    [{}, 'pending'],
  ] as [Verdicts, string][])('%j', (verdicts, expected) => {
    expect(said(secretOutcome(stagelet(verdicts)))).toBe(expected)
    expect(said(secretOutcome(undefined))).toBe('failed NotFound')
  })
})

describe('the end of a wait for an agent', () => {
  it('is a revocation, or that it is gone', () => {
    const never = (): boolean => false
    expect(said(agentOutcome(stagelet({ Ready: 'False Revoked' }), never))).toBe('failed Revoked')
    expect(said(agentOutcome(stagelet({ Ready: 'Unknown Disconnected' }), never))).toBe('pending')
    expect(said(agentOutcome(undefined, never))).toBe('failed NotFound')
    expect(said(agentOutcome(stagelet({}), () => true))).toBe('done')
  })
})

describe('the end of a wait after a change of a stack without secrets', () => {
  const inSync = { ...settled, SecretsInSync: 'True InSync' }
  const table: [string, Verdicts, string][] = [
    ['healthy', { ...inSync, Ready: 'True Ready' }, 'done'],
    ['starting', { ...inSync, ...moving, Ready: 'False Gating' }, 'pending'],
    [
      'broken',
      { ...inSync, Degraded: 'True RolloutFailed', Ready: 'False X' },
      'failed RolloutFailed',
    ],
    [
      'stopped',
      { ...inSync, Drifted: 'True StoppedByHand', Ready: 'False X' },
      'failed StoppedByHand',
    ],
  ]
  it.each(table)('is that it is %s', (_name, verdicts, end) => {
    expect(said(appliedOutcome(stagelet(verdicts)))).toBe(end)
  })

  it('is that it has its secrets where it has some', () => {
    const services = [{ name: 'web', state: 'running', keys: ['KEY'] }]
    const verdicts = { ...inSync, Ready: 'False Gating' }
    expect(said(appliedOutcome(stagelet(verdicts, { status: { services } })))).toBe('done')
  })
})
