import { describe, expect, it } from 'vitest'
import type { Condition } from '../src/resources/conditions.ts'
import type { ReviewChange } from '../src/manifests/review.ts'
import type { KubeObject } from '../src/resources/meta.ts'
import { renderReview } from './commands/diff.ts'
import { valuesToCome } from './apply/values-to-come.ts'
import { renderOverview, warningsOf } from './commands/status.ts'
import { parseGoal } from './commands/wait.ts'
import { connectionError } from './connect/connection-error.ts'
import { renderDescription } from './commands/describe.ts'
import { servedKind, nameOf, parseTargets } from './output/kinds.ts'
import { Command, waitOf } from './options.ts'

const stagelet = (
  generation: number,
  conditions: object[],
  observedGeneration = generation,
): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Stagelet',
  metadata: { name: 'shop', namespace: 'default', generation },
  spec: {},
  status: { observedGeneration, conditions },
})

const inSync = {
  type: 'SecretsInSync',
  status: 'True',
  reason: 'InSync',
  message: 'all',
  lastTransitionTime: '',
}

describe('parseGoal', () => {
  it('counts a condition only when it was judged from the current spec', () => {
    const end = (object: KubeObject | undefined): string =>
      parseGoal('condition=SecretsInSync').judge(servedKind('Stagelet'), object).kind
    expect(end(stagelet(2, [inSync]))).toBe('done')
    expect(end(stagelet(2, [inSync], 1))).toBe('pending')
    expect(end(stagelet(2, [{ ...inSync, observedGeneration: 1 }]))).toBe('pending')
    expect(end(undefined)).toBe('failed')
  })

  it('takes a status, and type and status in any case', () => {
    const end = (text: string): string =>
      parseGoal(text).judge(servedKind('Stagelet'), stagelet(1, [inSync])).kind
    expect(end('condition=secretsinsync=true')).toBe('done')
    expect(end('condition=SecretsInSync=False')).toBe('pending')
  })

  it('says how the condition stands while it does not hold', () => {
    const away = { ...inSync, status: 'Unknown', reason: 'AgentAway', message: 'the agent is away' }
    const goal = parseGoal('condition=SecretsInSync')
    expect(goal.judge(servedKind('Stagelet'), stagelet(1, [away]))).toEqual({
      kind: 'pending',
      message: 'SecretsInSync=Unknown AgentAway: the agent is away',
    })
  })

  it('is over where the reason of the condition says so, and only for the kind that it is of', () => {
    const bad = { ...inSync, status: 'False', reason: 'DirectoryNotAllowed', message: 'no' }
    const end = (kind: string, goal: string): string =>
      parseGoal(goal).judge(servedKind(kind), stagelet(1, [bad])).kind
    expect(end('Stagelet', 'condition=SecretsInSync')).toBe('failed')
    expect(end('Stagelet', 'condition=Ready')).toBe('failed')
    expect(end('Stagelet', 'condition=Degraded=False')).toBe('pending')
    expect(end('Project', 'condition=SecretsInSync')).toBe('pending')
  })

  it('refuses what it does not know', () => {
    expect(() => parseGoal('jsonpath={.a}')).toThrow('--for must be')
  })
})

describe('parseTargets', () => {
  const names = (words: string[]): string[] =>
    parseTargets(words).map(({ kind, names: given }) => [kind.kind, ...given].join(' '))

  it('understands singular, plural, short names, kinds, nicknames and categories', () => {
    expect(names(['stg', 'a', 'b'])).toEqual(['Stagelet a b'])
    expect(names(['stagelets.stagely.dev,secrets'])).toEqual(['Stagelet', 'StagelySecret'])
    expect(names(['stagelet/a', 'proj/b'])).toEqual(['Stagelet a', 'Project b'])
    expect(names(['stagely'])).toEqual([
      ...['Project', 'Agent', 'StagelySecret', 'Stagelet', 'Notifier', 'Rotation', 'SecretStore'],
      'TrustedIssuer',
      'AccessPolicy',
    ])
  })

  it('names what it knows when it does not know a word', () => {
    expect(() => parseTargets(['pods'])).toThrow('stagelets')
    expect(() => parseTargets(['observations'])).toThrow('no kind')
  })
})

describe('nameOf', () => {
  it('takes a name alone, and one with its kind', () => {
    expect(nameOf(servedKind('Stagelet'), 'shop')).toBe('shop')
    expect(nameOf(servedKind('Stagelet'), 'stg/shop')).toBe('shop')
  })

  it('refuses another kind', () => {
    expect(() => nameOf(servedKind('Stagelet'), 'project/shop')).toThrow(
      '"project/shop" is no stagelet; name one',
    )
  })
})

describe('values to come', () => {
  const change = (index: number, kind: string, more: Partial<ReviewChange>): ReviewChange => ({
    index,
    kind,
    namespace: 'default',
    name: 'x',
    action: 'Create',
    fields: [],
    valueChanged: false,
    ...more,
  })
  const secret = (name: string, valueFrom: object): KubeObject => ({
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'StagelySecret',
    metadata: { name },
    spec: { projectRef: { name: 'shop' }, key: 'KEY', valueFrom },
  })
  const external = { external: { store: 'aws', key: 'k' } }
  const rotation = { rotation: { name: 'db', output: 'password' } }

  it('are named by who gives them, where the change asks for them', () => {
    const objects = [
      ...[secret('a', external), secret('b', rotation), secret('c', external)],
      {
        ...secret('db', {}),
        kind: 'Rotation',
        spec: { outputs: { password: 'b', username: 'd' } },
      },
    ]
    const kind = 'StagelySecret'
    const changes = [
      change(0, kind, { action: 'Update', fields: ['spec.valueFrom.external.key'] }),
      change(1, kind, {}),
      change(2, kind, { action: 'Update', fields: ['metadata.labels.a'] }),
      change(3, 'Rotation', {}),
    ]
    expect(valuesToCome(changes, objects)).toEqual([
      'Values to come; each service that sees one is re-created then:',
      '    store "aws": a',
      '    Rotation "db": b, d',
    ])
    expect(valuesToCome([changes[2]!], objects)).toEqual([])
    const awaits = ['USER', 'db/PASSWORD']
    expect(valuesToCome([{ ...changes[2]!, awaits }], objects).at(-1)).toMatch(
      /^ {4}references to \$\{USER\}, \$\{db\/PASSWORD\}: \w+$/,
    )
  })
})

describe('renderReview', () => {
  it('shows names, fields and the blast radius', () => {
    const text = renderReview({
      faults: [],
      changes: [
        {
          index: 0,
          kind: 'StagelySecret',
          namespace: 'default',
          name: 'a',
          action: 'Update',
          fields: [],
          valueChanged: true,
          awaits: ['USER'],
        },
        {
          index: 1,
          kind: 'Project',
          namespace: 'default',
          name: 'p',
          action: 'Unchanged',
          fields: [],
          valueChanged: false,
        },
      ],
      affected: [
        {
          namespace: 'default',
          stagelet: 'shop',
          service: 'backend',
          keys: ['STRIPE'],
          reason: 'new value',
        },
      ],
      cascaded: [{ namespace: 'default', stagelet: 'shop', service: 'sidecar', with: ['backend'] }],
    })
    expect(text).toBe(
      [
        '~ stagelysecret.stagely.dev/a (default)',
        '    value changes',
        '    value to come, with ${USER}',
        '',
        '1 service would be re-created:',
        '    default/shop  backend: STRIPE  (new value)',
        '1 more service, which shares their namespace or volumes, with any version of Compose:',
        '    default/shop  sidecar  (with backend)',
      ].join('\n'),
    )
  })
})

describe('renderDescription', () => {
  it('says of a service that nobody sees that it is unknown, and how it was', () => {
    const object = stagelet(1, [])
    const lastSeen = { at: '2026-01-01T00:00:00Z', state: 'running', runningDigest: 'a' }
    object.status = {
      services: [{ name: 'backend', state: 'unknown', wantedDigest: 'a', keys: [], lastSeen }],
    }
    expect(renderDescription(object, [])).toMatch(/backend {3}unknown \(was running\) {3}unknown /)
  })

  it('shows the keys that each service sees, and no last-applied annotation', () => {
    const object = stagelet(1, [inSync])
    object.metadata.annotations = { 'kubectl.kubernetes.io/last-applied-configuration': 'noise' }
    object.status = {
      ...object.status,
      services: [
        {
          name: 'backend',
          state: 'running',
          wantedDigest: 'a',
          runningDigest: 'a',
          keys: ['A', 'B'],
        },
      ],
    }
    const text = renderDescription(object, [])
    expect(text).toMatch(/backend {3}running {3}yes .*A, B/)
    expect(text).toContain('Events:  <none>')
    expect(text).not.toContain('noise')
  })
})

describe('a message of several lines', () => {
  const degraded = { ...inSync, type: 'Degraded', message: 'service web exited\nlast log line' }

  it('is shown whole by describe', () => {
    const text = renderDescription(stagelet(1, [inSync, degraded]), [])
    expect(text).toMatch(/Degraded in full:\n {2}service web exited\n {2}last log line\n/)
    expect(text).not.toContain('SecretsInSync in full')
  })

  it('is shortened by status, which says so', () => {
    const warnings = warningsOf([stagelet(1, [degraded])])
    const some = { total: 1, in_sync: 0, ready: 1, drained: 0 }
    const counts = { stagelets: some, agents: some, secrets: 0, projects: 1 }
    expect(renderOverview({ server: 'here', ...counts, warnings })).toMatch(
      /service web exited \(and 1 more in "stagely describe"\)$/,
    )
  })
})

it('says in status that a controller that is not ready may tell what is old', () => {
  const some = { total: 1, in_sync: 1, ready: 1, drained: 0 }
  const counts = { stagelets: some, agents: some, secrets: 0, projects: 1, warnings: [] }
  const text = renderOverview({
    server: 'here',
    ...counts,
    not_ready: 'not ready: the disk is full',
  })
  expect(text).toMatch(
    /\n\nThe controller is not ready: the disk is full. What is said here may be old.$/,
  )
})

it('makes one row of many objects that one cause keeps back', () => {
  const counts = { stagelets: { total: 1, in_sync: 0 }, agents: { total: 0, ready: 0, drained: 0 } }
  const warning = (name: string, reason = 'NoAgent') => ({
    namespace: 'default',
    object: `stagelysecret.stagely.dev/${name}`,
    condition: 'InSync',
    status: 'False' as const,
    reason,
    message: `${name} waits`,
  })
  const many = Array.from({ length: 40 }, (_, i) => warning(`s${i}`))
  const warnings = [...many, warning('other', 'NewValue')]
  const shown = renderOverview({ server: 'here', ...counts, secrets: 41, projects: 1, warnings })
  const rows = shown.split('\n').filter((line) => line.startsWith('default'))
  expect(rows).toHaveLength(2)
  expect(rows[0]).toContain('stagelysecret.stagely.dev/s0 and 39 more')
})

describe('warningsOf', () => {
  it('names bad conditions and leaves out good and passing ones', () => {
    const progressing = { ...inSync, type: 'Progressing' }
    const degraded = { ...inSync, type: 'Degraded', reason: 'GateFailed', message: 'web\nlogs' }
    expect(warningsOf([stagelet(1, [inSync, progressing, degraded])])).toEqual([
      {
        namespace: 'default',
        object: 'stagelet.stagely.dev/shop',
        condition: 'Degraded',
        status: 'True',
        reason: 'GateFailed',
        message: 'web\nlogs',
        since: inSync.lastTransitionTime,
      },
    ])
  })

  it.each([
    ['SecretStore', ['Fresh', 'Listening'], ['Braked']],
    ['Notifier', ['Delivering'], []],
    ['Rotation', ['Tested'], ['Blocked', 'Overdue']],
    ['Project', ['Separated'], ['KeyRotationDue']],
    ['AccessPolicy', ['Usable', 'EmergencyNotified'], []],
  ])('of a %s: %s should be True, %s should not', (kind, good, bad) => {
    const told = (status: 'True' | 'False'): string[] =>
      warningsOf([
        {
          ...stagelet(
            1,
            [...good, ...bad].map((type) => ({ ...inSync, type, status })),
          ),
          kind,
        },
      ]).map(({ condition }) => condition)
    expect(told('True')).toEqual(bad)
    expect(told('False')).toEqual(good)
  })

  it('tells one cause once', () => {
    const bad = (
      type: string,
      status: 'True' | 'False' | 'Unknown',
      reason: string,
    ): Condition => ({
      ...inSync,
      type,
      status,
      reason,
      message: `because of ${reason}`,
    })
    const told = (...conditions: Condition[]): string[] =>
      warningsOf([stagelet(1, conditions)]).map((w) => `${w.condition}=${w.status} ${w.reason}`)
    const rolledBack = [
      bad('SecretsInSync', 'False', 'RolledBack'),
      bad('Degraded', 'True', 'RolledBack'),
      bad('Ready', 'False', 'RolledBack'),
    ]
    expect(told(...rolledBack)).toEqual(['Degraded=True RolledBack'])
    const away = [
      bad('AgentReachable', 'False', 'Disconnected'),
      bad('SecretsInSync', 'Unknown', 'AgentAway'),
      bad('Degraded', 'Unknown', 'AgentAway'),
      bad('Ready', 'Unknown', 'AgentAway'),
    ]
    expect(told(...away)).toEqual(['SecretsInSync=Unknown AgentAway'])
    const missing = [
      bad('SecretsInSync', 'Unknown', 'NoReport'),
      bad('AgentReachable', 'False', 'AgentMissing'),
    ]
    expect(told(...missing)).toEqual(['AgentReachable=False AgentMissing'])
    expect(told(bad('Ready', 'False', 'OutOfSync'))).toEqual(['Ready=False OutOfSync'])
  })

  it('leaves to the stagelet why a secret does not run, where the stagelet is shown', () => {
    const of = (object: KubeObject): KubeObject => ({
      ...object,
      spec: { projectRef: { name: 'shop' } },
    })
    const behind = { ...inSync, status: 'False', reason: 'RolledBack' }
    const old = { ...inSync, type: 'InSync', status: 'False', reason: 'NewVersion' }
    const secret = of({ ...stagelet(1, [old]), kind: 'StagelySecret' })
    const told = (...objects: KubeObject[]): string[] => warningsOf(objects).map((w) => w.reason)
    expect(told(of(stagelet(1, [behind])), secret)).toEqual(['RolledBack'])
    expect(told(of(stagelet(1, [inSync])), secret)).toEqual(['NewVersion'])
    expect(told(secret)).toEqual(['NewVersion'])
  })

  it('names agents that are drained, and what is paused', () => {
    const project = { ...stagelet(1, []), kind: 'Project', spec: { rollout: { paused: true } } }
    expect(warningsOf([project]).map((w) => `${w.condition}: ${w.message}`)).toEqual([
      'Paused: no further stagelet gets a new revision: stagely rollout resume shop',
    ])
    const agent = { ...stagelet(1, []), kind: 'Agent', spec: { drained: true, paused: true } }
    const told = warningsOf([agent]).map((w) => `${w.object} ${w.condition}: ${w.message}`)
    expect(told).toEqual([
      'agent.stagely.dev/shop Drained: nothing new is rolled out there: stagely agent undrain shop',
      'agent.stagely.dev/shop Paused: spec.paused is true: nothing is changed there',
    ])
  })
})

describe('warningsOf a team', () => {
  it('names the manifests of its folder that are not applied', () => {
    const fault = { ...inSync, type: 'ManifestsApplied', reason: 'ManifestFault', message: 'a:1' }
    const team = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a' } }
    const withStatus = (status: string): KubeObject => ({
      ...team,
      status: { conditions: [{ ...fault, status }] },
    })
    expect(warningsOf([withStatus('True')])).toEqual([])
    expect(warningsOf([withStatus('False')])).toMatchObject([
      { namespace: 'team-a', object: 'namespace/team-a', condition: 'ManifestsApplied' },
    ])
  })
})

describe('--wait', () => {
  const given = (...words: string[]): number | undefined => {
    const command = new Command('x').waiting('it is done').exitOverride()
    command.configureOutput({ writeErr: () => undefined }).action(() => undefined)
    return waitOf(command.parse(words, { from: 'user' }).opts())
  }

  it('reads yes, no and times, and takes no time for for ever', () => {
    expect(given()).toBeUndefined()
    expect(given('--wait=false')).toBeUndefined()
    expect(given('--wait')).toBe(600_000)
    expect(given('--wait', '--timeout', '90s')).toBe(90_000)
    expect(given('--wait=2m')).toBe(120_000)
    expect(given('--wait', '--timeout', '90')).toBe(90_000)
    expect(given('--wait', '--timeout', '0s')).toBeGreaterThan(20 * 86_400_000)
    expect(() => given('--wait', 'shop')).toThrow(/use a time such as/)
  })
})

describe('connectionError', () => {
  it('says what to set', () => {
    const of = (code: string): string =>
      connectionError('https://x:1', Object.assign(new Error('e'), { code })).message
    expect(of('ECONNREFUSED')).toContain('https://x:1')
    expect(of('CERT_NOT_YET_VALID')).toMatch(
      /by the clock of this machine \(20.*\): set the clock$/,
    )
    expect(of('SELF_SIGNED_CERT_IN_CHAIN')).toMatch(/ca\.crt of this very controller.*--ca-file/)
  })
})
