import { describe, expect, it } from 'vitest'
import {
  aService,
  aStagelet,
  anEntry,
  anInput,
  anObservation,
} from '../../../test/support/builders.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import type { ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { visibleTo } from '../../../src/secrets/visible.ts'
import { decideStagelet } from './decide.ts'
import type { StageletInput } from './facts.ts'

const entries = [anEntry({ key: 'DATABASE_URL' }), anEntry({ key: 'STRIPE_KEY', scope: 'backend' })]
const digestOf = (service: string): string => serviceDigest(visibleTo(service, 'shop', entries))!

const settled = (over: Partial<ObservationSpec> = {}): ObservationSpec =>
  anObservation({
    services: [
      aService({ name: 'backend', digests: [digestOf('backend')] }),
      aService({ name: 'postgres', digests: [digestOf('postgres')] }),
    ],
    passed: { backend: digestOf('backend'), postgres: digestOf('postgres') },
    ...over,
  })

const verdict = (input: StageletInput, type: string) => {
  const condition = findCondition(decideStagelet(input).status.conditions, type)
  return `${condition?.status}/${condition?.reason}`
}

describe('decideStagelet', () => {
  it('is in sync and ready when every label is the wanted digest and the gate passed', () => {
    const input = anInput(entries, { observation: settled() })
    expect(verdict(input, 'SecretsInSync')).toBe('True/InSync')
    expect(verdict(input, 'Ready')).toBe('True/Ready')
    const { status } = decideStagelet(input)
    // What has them may be stopped.
    expect(findCondition(status.conditions, 'SecretsInSync')?.message).toBe(
      'every container has the secrets of revision 1',
    )
    expect(status.runningRevision).toBe(1)
    expect(status.services?.[0]?.keys).toEqual(['DATABASE_URL', 'STRIPE_KEY'])
  })

  it('is not said to be in sync while services of a report were left out, which a condition tells', () => {
    const cut = [{ field: 'services', had: 1_200, kept: 1_000 }]
    const input = anInput(entries, { observation: settled({ cut }) })
    expect(verdict(input, 'SecretsInSync')).toBe('Unknown/ReportCut')
    expect(verdict(input, 'ReportCut')).toBe('True/TooLarge')
    const { status } = decideStagelet(input)
    expect(findCondition(status.conditions, 'ReportCut')?.message).toMatch(
      /^the report of the agent holds more than is kept: services \(1200, kept 1000\)\./,
    )
    const whole = { ...input, observation: settled(), stagelet: { ...input.stagelet, status } }
    expect(verdict(whole, 'ReportCut')).toBe('False/Whole')
    expect(verdict(whole, 'SecretsInSync')).toBe('True/InSync')
    expect(verdict(anInput(entries, { observation: settled() }), 'ReportCut')).toBe(
      'undefined/undefined',
    )
  })

  it('is not ready before a stack without secrets is healthy', () => {
    const rollout = { revision: 1, result: 'Progressing' } as const
    const services = [aService({ name: 'web', digests: [''] })]
    const observation = settled({ phase: 'Gating', rollout, services, passed: {} })
    expect(verdict(anInput([], { observation }), 'Ready')).toBe('False/Gating')
  })

  it('says of a newer spec only what was seen for it', () => {
    const base = anInput(entries, { observation: settled() })
    const { metadata } = base.stagelet
    const stagelet = { ...base.stagelet, metadata: { ...metadata, generation: 2 } }
    const judgedOf = (input: StageletInput, type: string): number | undefined =>
      findCondition(decideStagelet(input).status.conditions, type)?.observedGeneration
    const input = { ...base, stagelet }
    for (const type of ['SecretsInSync', 'Ready', 'Degraded', 'ComposeFileChanged'])
      expect(judgedOf(input, type)).toBe(1)
    expect(judgedOf(input, 'AgentReachable')).toBe(2)
    const seen = { ...input, observation: settled({ generation: 2 }) }
    expect(judgedOf(seen, 'SecretsInSync')).toBe(2)
    // Who sees nothing says so of the newest spec.
    expect(judgedOf({ ...input, agent: undefined }, 'SecretsInSync')).toBe(2)
  })

  it('names services outside of the compose files that run with other secrets than they would get', () => {
    const strays = [
      { name: 'api', digests: ['old'] },
      { name: 'backend-2', digests: [digestOf('backend-2')] },
    ]
    const { status } = decideStagelet(anInput(entries, { observation: settled({ strays }) }))
    expect(status.strayServices).toEqual(['api'])
    const one = { service: 'backend', container: 'shop-backend-run-1', digest: 'old' }
    const fresh = { ...one, container: 'shop-backend-run-2', digest: digestOf('backend') }
    const later = anInput(entries, { observation: settled({ ended: [one, fresh] }) })
    expect(decideStagelet(later).status.endedContainers).toEqual(['shop-backend-run-1'])
    expect(findCondition(status.conditions, 'SecretsInSync')?.message).toBe(
      'every service has the secrets of revision 1; other secrets are in what is no service of the stack: api',
    )
  })

  it('counts what Compose alone has started where Stagely has secrets for it: it runs with what the files say', () => {
    const strays = [
      { name: 'debug', digests: [''] },
      { name: 'plain', digests: [''] },
    ]
    const own = [...entries, anEntry({ key: 'DATABASE_URL', scope: 'debug' })]
    const services = [
      aService({ name: 'backend', digests: [digestOf('backend')], oneOff: [''] }),
      aService({ name: 'postgres', digests: [digestOf('postgres')], oneOff: [''] }),
    ]
    const { status } = decideStagelet(anInput(own, { observation: settled({ services, strays }) }))
    expect(status.strayServices).toEqual(['debug'])
    expect(status.services?.map(({ oneOffs }) => oneOffs)).toEqual([1, undefined])
    expect(findCondition(status.conditions, 'SecretsInSync')?.message).toMatch(
      /; other secrets are in what is no service of the stack: debug, a one-off container of backend$/,
    )
  })

  it('is not in sync while one container keeps the old label, whatever the agent says', () => {
    const observation = settled({
      services: [
        aService({ name: 'backend', digests: ['old'] }),
        aService({ name: 'postgres', digests: [digestOf('postgres')] }),
      ],
    })
    expect(verdict(anInput(entries, { observation }), 'SecretsInSync')).toBe('False/OutOfSync')
  })

  it('is not in sync while a service shares with a container that is gone, whatever its label', () => {
    const peer = aService({ name: 'postgres', digests: [digestOf('postgres')], cutOff: true })
    const services = [aService({ name: 'backend', digests: [digestOf('backend')] }), peer]
    const input = anInput(entries, { observation: settled({ services, phase: 'Applying' }) })
    expect(verdict(input, 'SecretsInSync')).toBe('False/RollingOut')
    const { conditions } = decideStagelet(input).status
    expect(findCondition(conditions, 'SecretsInSync')?.message).toMatch(
      /^rolling out revision 1; sharing with a container that is gone: postgres$/,
    )
  })

  it('waits for a deploy where nothing is late but a service that is new in the files', () => {
    const services = [
      aService({ name: 'backend', digests: [digestOf('backend')] }),
      aService({ name: 'postgres', digests: [], state: 'missing', containers: 0 }),
    ]
    const held = anInput(entries, {
      observation: settled({ services, pendingEdits: ['postgres'] }),
    })
    expect(verdict(held, 'SecretsInSync')).toBe('False/PendingEdits')
    const removed = anInput(entries, { observation: settled({ services }) })
    expect(verdict(removed, 'SecretsInSync')).toBe('False/OutOfSync')
    const { stagelet } = held
    const compose = { ...stagelet.spec.compose, onChange: 'Deploy' as const }
    const spec = { ...stagelet.spec, compose }
    const deploying = { ...held, stagelet: { ...stagelet, spec } }
    expect(verdict(deploying, 'SecretsInSync')).toBe('False/OutOfSync')
  })

  it('is not in sync where nothing of it was ever started, though it sees no secret', () => {
    const services = (state: 'missing' | 'created' | 'running') => [
      aService({ name: 'web', digests: [], state, containers: 0 }),
      aService({ name: 'off', digests: [], state: 'scaledToZero', containers: 0 }),
    ]
    const rollout = { revision: 1, result: 'Failed' as const, message: 'no image' }
    const failed = { phase: 'Failed' as const, rollout }
    for (const state of ['missing', 'created'] as const) {
      const observation = settled({ services: services(state), ...failed })
      expect(verdict(anInput([], { observation }), 'SecretsInSync')).toBe('False/RolloutFailed')
    }
    const starting = settled({ services: services('missing'), phase: 'Applying' })
    expect(verdict(anInput([], { observation: starting }), 'SecretsInSync')).toBe('False/RollingOut') // prettier-ignore
    const running = settled({ services: services('running') })
    expect(verdict(anInput([], { observation: running }), 'SecretsInSync')).toBe('True/InSync')
  })

  it('is neither degraded nor unready for a service that is new in the files and waits for a deploy', () => {
    const services = [
      aService({ name: 'backend', digests: [] }),
      aService({ name: 'fresh', digests: [], state: 'missing', containers: 0 }),
    ]
    const held = anInput([], { observation: settled({ services, pendingEdits: ['fresh'] }) })
    expect(['Degraded', 'Ready', 'SecretsInSync'].map((type) => verdict(held, type))).toEqual([
      'False/AsExpected',
      'True/Ready',
      'True/InSync',
    ])
    const gone = anInput([], { observation: settled({ services }) })
    expect(verdict(gone, 'Degraded')).toBe('True/ServiceUnhealthy')
  })

  it('is not in sync while the whole stack is stopped by hand, whatever its containers were made of', () => {
    const drift = { state: 'Held' as const, since: '2026-01-01T00:00:00Z', changes: [] }
    const observation = settled({ phase: 'Paused', drift })
    const stopped = verdict(anInput(entries, { observation }), 'SecretsInSync')
    expect(stopped).toBe('False/StoppedByHand')
  })

  it('is not ready while a service does not run, also before that is told as drift', () => {
    const services = settled().services.map((one) => ({ ...one, state: 'exited' as const }))
    const observation = settled({ services, phase: 'Pending' })
    const input = anInput(entries, { observation })
    expect(verdict(input, 'Ready')).toBe('False/ServiceNotRunning')
  })

  it('is drifted and degraded while healing does not last, and says of what', () => {
    const change = {
      service: 'backend',
      container: 'shop-backend-1',
      what: 'Died',
      exitCode: 3,
    } as const
    const since = '2026-01-01T00:00:00Z'
    const drift = { state: 'Flapping' as const, since, changes: [change] }
    const input = anInput(entries, { observation: settled({ drift }) })
    expect(verdict(input, 'Drifted')).toBe('True/Flapping')
    expect(verdict(input, 'Degraded')).toBe('True/Flapping')
    const { conditions } = decideStagelet(input).status
    expect(findCondition(conditions, 'Drifted')?.message).toMatch(
      /pauses for some minutes: backend \(shop-backend-1\) died, exit code 3/,
    )
  })

  it('is not in sync when one replica of a service is older than the other', () => {
    const services = settled().services.map((s) =>
      s.name === 'backend' ? { ...s, digests: [digestOf('backend'), 'old'] } : s,
    )
    expect(verdict(anInput(entries, { observation: settled({ services }) }), 'SecretsInSync')).toBe(
      'False/OutOfSync',
    )
  })

  it('is not in sync before the gate has passed with this very digest', () => {
    const passed = { postgres: digestOf('postgres') }
    const rollout = { revision: 1, result: 'Progressing' } as const
    const observation = settled({ phase: 'Gating', passed, rollout })
    expect(verdict(anInput(entries, { observation }), 'SecretsInSync')).toBe('False/RollingOut')
    expect(verdict(anInput(entries, { observation }), 'Progressing')).toBe('True/Gating')
  })

  it('is not in sync once the open change set holds something newer than what runs', () => {
    const newer = [anEntry({ key: 'DATABASE_URL', version: 2 }), entries[1]!]
    const input = anInput(entries, {
      observation: settled(),
      head: { projectUid: 'p', epoch: 1, revision: 2, entries: newer },
      revisions: { epoch: 1, closed: 1, closesAt: 99, quietAt: 0 },
    })
    expect(verdict(input, 'SecretsInSync')).toBe('False/NewRevision')
    expect(decideStagelet(input).status.services?.[0]?.revision).toBe(1)
  })

  it('is in sync with services that should have no label and have none', () => {
    const scoped = [entries[1]!]
    const digest = serviceDigest(visibleTo('backend', 'shop', scoped))!
    const observation = settled({
      services: [aService({ name: 'backend', digests: [digest] }), aService({ name: 'postgres' })],
      passed: { backend: digest },
    })
    expect(verdict(anInput(scoped, { observation }), 'SecretsInSync')).toBe('True/InSync')
  })

  it('is not in sync when a service keeps a label though it should see nothing', () => {
    const observation = settled()
    expect(verdict(anInput([], { observation }), 'SecretsInSync')).toBe('False/OutOfSync')
  })

  it('wants nothing while the first change set of the project is open', () => {
    const input = anInput(entries, { revisions: { epoch: 1, closed: 0, closesAt: 99, quietAt: 0 } })
    expect(decideStagelet(input).status.wantedRevision).toBeUndefined()
    expect(verdict(input, 'Progressing')).toBe('True/ChangeSetOpen')
  })

  it.each<[string, Partial<StageletInput>, string, string]>([
    [
      'the project is missing',
      { projectExists: false, head: undefined, revisions: undefined },
      'SecretsInSync',
      'False/ProjectMissing',
    ],
    ['the agent is missing', { agent: undefined }, 'AgentReachable', 'False/AgentMissing'],
    [
      'the agent never joined',
      { agent: { ...anInput([]).agent!, status: {} } },
      'AgentReachable',
      'False/NeverJoined',
    ],
    ['the agent has not reported', {}, 'SecretsInSync', 'Unknown/NoReport'],
    ['the agent has not said how containers are', {}, 'Drifted', 'Unknown/NoReport'],
    [
      'the compose file does not parse',
      {
        observation: settled({
          phase: 'Failed',
          fault: { reason: 'ComposeInvalid', message: 'line 2' },
        }),
      },
      'Degraded',
      'True/ComposeInvalid',
    ],
    [
      'containers were given keys that are not there again',
      {
        observation: settled({
          phase: 'Failed',
          fault: { reason: 'KeysMissing', message: 'TOKEN' },
        }),
      },
      'Progressing',
      'False/KeysMissing',
    ],
    ...[
      ['SecretsInSync', 'False/NewRevision'],
      ['Progressing', 'True/AwaitingAgent'],
    ].map(([type = '', verdict = '']): [string, Partial<StageletInput>, string, string] => [
      `keys were missing in the revision before: ${type}`,
      {
        observation: settled({
          phase: 'Failed',
          revision: 0,
          fault: { reason: 'KeysMissing', message: 'TOKEN' },
        }),
      },
      type,
      verdict,
    ]),
    ...['Drifted', 'ComposeFileChanged', 'FileNotMounted'].map(
      (type): [string, Partial<StageletInput>, string, string] => [
        `the stack is refused, so that nobody looks: ${type}`,
        {
          observation: settled({
            phase: 'Failed',
            services: [aService({ name: 'backend' })],
            fault: { reason: 'ProjectRenamed', message: 'it runs as "before"' },
          }),
        },
        type,
        'Unknown/ProjectRenamed',
      ],
    ),
    [
      'the stack was stopped by hand before its files were broken',
      {
        observation: settled({
          phase: 'Failed',
          fault: { reason: 'ComposeInvalid', message: 'line 2' },
          drift: { state: 'Held', since: '2026-01-01T00:00:00Z', changes: [] },
        }),
      },
      'Drifted',
      'True/StoppedByHand',
    ],
    [
      'edits are pending',
      { observation: settled({ pendingEdits: ['web'] }) },
      'ComposeFileChanged',
      'True/PendingEdits',
    ],
    [
      'a variable is unset',
      { observation: settled({ missingVariables: ['X'] }) },
      'VariableMissing',
      'True/Unset',
    ],
    [
      'a container crashes',
      { observation: settled({ services: [aService({ name: 'backend', state: 'restarting' })] }) },
      'Degraded',
      'True/ServiceUnhealthy',
    ],
    [
      'Compose of an agent that died is still at work',
      { observation: settled({ phase: 'Pending', waitingFor: ['Compose (process 7)'] }) },
      'Progressing',
      'True/Waiting',
    ],
    [
      'a container is paused',
      { observation: settled({ services: [aService({ name: 'backend', state: 'paused' })] }) },
      'Degraded',
      'True/ServiceUnhealthy',
    ],
  ])('says so when %s', (_what, over, type, expected) => {
    expect(verdict(anInput(entries, over), type)).toBe(expected)
  })

  it('says of a service that is not well what its agent saw', () => {
    const detail = 'service backend: container p-backend-1 is unhealthy (2 restarts)'
    const services = [
      aService({ name: 'backend', health: 'unhealthy', detail }),
      aService({ name: 'frontend', state: 'missing' }),
      aService({ name: 'worker', detail: 'that is over' }),
    ]
    const { status } = decideStagelet(anInput(entries, { observation: settled({ services }) }))
    expect(findCondition(status.conditions, 'Degraded')).toMatchObject({
      status: 'True',
      reason: 'ServiceUnhealthy',
      message: `${detail}\nfrontend is missing`,
    })
  })

  it('stays degraded while a failed revision is tried again, until it has passed', () => {
    const failed = settled({
      phase: 'Failed',
      rollout: { revision: 1, result: 'Failed', message: 'web exited with code 3' },
    })
    const status = decideStagelet(anInput(entries, { observation: failed })).status
    const again = settled({ phase: 'Applying', rollout: { revision: 1, result: 'Progressing' } })
    const stagelet = aStagelet({ status })
    expect(verdict(anInput(entries, { observation: again, stagelet }), 'Degraded')).toBe(
      'True/RolloutFailed',
    )
    const passed = settled({ rollout: { revision: 1, result: 'Healthy' } })
    expect(verdict(anInput(entries, { observation: passed, stagelet }), 'Degraded')).toBe(
      'False/AsExpected',
    )
  })

  it('does not know whether containers with the right label are healthy, when their agent has begun anew', () => {
    const said = (over: Partial<ObservationSpec>): string => {
      const observation = settled({ phase: 'Gating', passed: {}, ...over })
      const { status } = decideStagelet(anInput(entries, { observation }))
      const found = findCondition(status.conditions, 'SecretsInSync')
      return `${found?.status}/${found?.reason}: ${found?.message}`
    }
    const open = 'current, and not seen healthy yet: backend, postgres'
    expect(said({})).toBe(`Unknown/NotJudged: the agent has begun anew; ${open}`)
    expect(said({ phase: 'Paused' })).toBe(
      `Unknown/NotJudged: the agent has begun anew; ${open}; it is paused, and judges them afterwards`,
    )
    // It has acted: what runs is what it has made just now.
    const rollout = { revision: 1, result: 'Progressing' } as const
    expect(said({ rollout })).toBe(`False/RollingOut: rolling out revision 1; ${open}`)
    const services = [aService({ name: 'backend', digests: ['old'] }), settled().services[1]!]
    expect(said({ services })).toBe(
      'False/RollingOut: rolling out revision 1; not current: backend; current, and not seen healthy yet: postgres',
    )
  })

  it.each<[string, string, string]>([
    ['goes on with the rest', 'Applying', 'Progressing'],
    ['waits for the rest', 'Gating', 'Progressing'],
    ['judges it once more', 'Gating', 'Failed'],
  ])('says what failed as soon as it did, while the agent %s', (_what, phase, result) => {
    const rollout = { revision: 1, result, message: 'image absent:9' }
    const observation = settled({ phase, rollout } as Partial<ObservationSpec>)
    const { status } = decideStagelet(anInput(entries, { observation }))
    expect(findCondition(status.conditions, 'Degraded')).toMatchObject({
      status: 'True',
      reason: 'RolloutFailed',
      message: 'image absent:9',
    })
  })

  it('decides the same again from its own result: nothing is written twice', () => {
    const input = anInput(entries, { observation: settled() })
    const first = decideStagelet(input).status
    const again = decideStagelet({
      ...input,
      now: '2026-02-02T00:00:00Z',
      stagelet: aStagelet({ status: first }),
    })
    expect(again.status).toEqual(first)
  })

  it('lets go of a deleted stagelet when the agent has, or when nobody is left to ask', () => {
    const deleted = aStagelet()
    deleted.metadata.deletionTimestamp = '2026-01-01T00:00:00Z'
    expect(decideStagelet(anInput(entries, { stagelet: deleted })).release).toBe(false)
    expect(decideStagelet(anInput(entries, { stagelet: deleted, agent: undefined })).release).toBe(
      true,
    )
    const observation = settled({ phase: 'Released' })
    expect(decideStagelet(anInput(entries, { stagelet: deleted, observation })).release).toBe(true)
  })
})
