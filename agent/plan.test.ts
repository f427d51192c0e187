import { describe, expect, it } from 'vitest'
import { aContainer } from '../test/support/a-container.ts'
import type { ServiceModel } from './compose-model.ts'
import { leansOnIn, planAction, withoutServices, type Plan, type PlanInput } from './plan.ts'

const aService = (name: string, tweak: Partial<ServiceModel> = {}): ServiceModel => ({
  name,
  dependsOn: [],
  waitsFor: [],
  restartsAfter: [],
  sharesWith: [],
  scale: 1,
  containerName: undefined,
  envFiles: [],
  variables: [],
  ...tweak,
})
const plan = (tweak: Partial<PlanInput>): Plan =>
  planAction({
    services: [aService('a'), aService('b')],
    wanted: new Map([['a', 'new']]),
    containers: [aContainer('a', 'new'), aContainer('b', '')],
    composeVersion: '2.26.1',
    deployed: ['a', 'b'],
    pending: [],
    full: false,
    stopped: new Set(),
    unproven: [],
    nowMs: 1_000_000,
    ...tweak,
  })
const full = [{ services: [], noDeps: false, waitFor: [] }]

describe('a service that asks to be restarted after another', () => {
  const services = [
    aService('api', { dependsOn: ['db'], restartsAfter: ['db'] }),
    aService('db'),
    aService('web', { dependsOn: ['api'], restartsAfter: ['api'] }),
  ]
  const containers = services.map(({ name }) => aContainer(name, 'old'))
  const given = (names: readonly string[], tweak: Partial<PlanInput> = {}): Plan => {
    const wanted = new Map(
      services.map(({ name }) => [name, names.includes(name) ? 'new' : 'old'] as const),
    )
    const deployed = ['api', 'db', 'web']
    return plan({ services, containers, wanted, deployed, ...tweak })
  }
  const told = ({ steps }: Plan): string[] =>
    steps.map((s) => `${s.services.join()} then ${(s.restarts ?? []).join()}`)

  it('is restarted when that one gets something new, and those that follow it are not', () => {
    expect(told(given(['db']))).toEqual(['db then api'])
    expect(given(['db']).affected).toEqual(['db'])
    expect(told(given(['db', 'api']))).toEqual(['db then ', 'api then web'])
  })

  it('is left alone where that one is only started again, or it does not run itself', () => {
    const down = [aContainer('db', 'old', { state: 'exited', exitCode: 1 })]
    const others = containers.filter((c) => c.service !== 'db')
    expect(told(given([], { containers: [...others, ...down] }))).toEqual(['db then '])
    const idle = containers.map((c) =>
      c.service === 'api' ? { ...c, state: 'exited' as const } : c,
    )
    expect(told(given(['db'], { containers: idle }))).toEqual(['db then '])
  })

  it('is restarted once, after the last of several, and not while it is left out', () => {
    const both = services.map((s) =>
      s.name === 'web' ? { ...s, restartsAfter: ['api', 'db'] } : s,
    )
    const action = given(['db', 'api'], { services: both })
    expect(told(action)).toEqual(['db then ', 'api then web'])
    expect(told(withoutServices(action, ['web']))).toEqual(['db then ', 'api then '])
  })
})

it('a service leans on what it depends on, however far, and on those whose namespace it shares', () => {
  const services = [
    aService('api', { dependsOn: ['db'] }),
    aService('db', { dependsOn: ['web'] }),
    aService('other'),
    aService('peer', { sharesWith: ['api'] }),
    aService('web', { dependsOn: ['api'] }),
  ]
  expect(leansOnIn(services, 'peer')).toEqual(['api', 'db', 'web'])
  expect(leansOnIn(services, 'web')).toEqual(['api', 'db'])
  expect(leansOnIn(services, 'other')).toEqual([])
})

describe('planAction', () => {
  it.each<[string, Partial<PlanInput>, Plan['steps']]>([
    ['does nothing when every label is right', {}, []],
    [
      'brings a whole stack up when nothing is there',
      { containers: [], deployed: undefined },
      full,
    ],
    ['rolls everything out when told', { full: true }, full],
    [
      'touches a service whose label is another',
      { wanted: new Map([['a', 'newer']]) },
      [{ services: ['a'], noDeps: true, waitFor: [] }],
    ],
    [
      'touches a service that has a label and should have none',
      { wanted: new Map() },
      [{ services: ['a'], noDeps: true, waitFor: [] }],
    ],
    [
      'brings back a deployed service that is gone',
      { containers: [aContainer('a', 'new')] },
      [{ services: ['b'], noDeps: true, waitFor: [] }],
    ],
    [
      'leaves a new service of the file for a deploy',
      { containers: [aContainer('a', 'new')], deployed: ['a'] },
      [],
    ],
    [
      'starts a service that is down',
      {
        containers: [aContainer('a', 'new', { state: 'exited', exitCode: 1 }), aContainer('b', '')],
      },
      [{ services: ['a'], noDeps: true, waitFor: [] }],
    ],
    [
      'leaves a finished job alone',
      { containers: [aContainer('a', 'new', { state: 'exited' }), aContainer('b', '')] },
      [],
    ],
    [
      'leaves a stopped service alone that was never deployed from here',
      {
        containers: [
          aContainer('a', 'new'),
          aContainer('b', '', { state: 'exited', exitCode: 137 }),
        ],
        deployed: undefined,
      },
      [],
    ],
    [
      'leaves a fresh leftover to the up that may be running',
      {
        containers: [
          aContainer('a', 'new', {
            name: '0123456789ab_p-a-1',
            replaces: 'x',
            createdAtMs: 999_000,
          }),
          aContainer('b', ''),
        ],
      },
      [],
    ],
    [
      'takes up an old leftover',
      {
        containers: [
          aContainer('a', 'new', { name: '0123456789ab_p-a-1', replaces: 'x' }),
          aContainer('b', ''),
        ],
      },
      [{ services: ['a'], noDeps: true, waitFor: [] }],
    ],
  ])('%s', (_what, tweak, steps) => {
    expect(plan(tweak).steps).toEqual(steps)
  })

  const chain = {
    services: [
      aService('a'),
      aService('b', { dependsOn: ['a'] }),
      aService('c', { dependsOn: ['b'] }),
      aService('d'),
    ],
    containers: ['a', 'b', 'c', 'd'].map((n) => aContainer(n, 'old')),
    deployed: ['a', 'b', 'c', 'd'],
  }
  const all = new Map(['a', 'b', 'c', 'd'].map((n) => [n, 'new']))

  it('goes level by level, dependencies first, so that nothing is re-created twice', () => {
    expect(plan({ ...chain, wanted: all }).steps).toEqual([
      { services: ['a', 'd'], noDeps: true, waitFor: [] },
      { services: ['b'], noDeps: false, waitFor: [] },
      { services: ['c'], noDeps: false, waitFor: [] },
    ])
  })

  it('uses --no-deps throughout where Compose hashes right', () => {
    expect(
      plan({ ...chain, wanted: all, composeVersion: '2.29.3' }).steps.map((s) => s.noDeps),
    ).toEqual([true, true, true])
  })

  it('does not run a finished job again, nor roll out an edit, in passing', () => {
    const wanted = new Map([
      ['a', 'old'],
      ['b', 'old'],
      ['c', 'new'],
      ['d', 'old'],
    ])
    const done = chain.containers.map((c) =>
      c.service === 'a' ? { ...c, state: 'exited' as const } : c,
    )
    expect(plan({ ...chain, wanted }).steps).toEqual([
      { services: ['c'], noDeps: false, waitFor: [] },
    ])
    expect(plan({ ...chain, wanted, containers: done }).steps).toEqual([
      { services: ['c'], noDeps: true, waitFor: [] },
    ])
    expect(plan({ ...chain, wanted, pending: ['a'] }).steps).toEqual([
      { services: ['c'], noDeps: true, waitFor: [] },
    ])
  })

  describe('with conditions', () => {
    const services = [
      aService('db'),
      aService('job', { dependsOn: ['db'], waitsFor: [{ service: 'db', until: 'healthy' }] }),
      aService('web', {
        dependsOn: ['db', 'job'],
        waitsFor: [
          { service: 'db', until: 'healthy' },
          { service: 'job', until: 'done' },
        ],
      }),
    ]
    const names = services.map((s) => s.name)
    const stack = {
      services,
      containers: names.map((n) => aContainer(n, 'old')),
      deployed: names,
    }
    const wantedFor = (...changed: string[]) =>
      new Map(names.map((n) => [n, changed.includes(n) ? 'new' : 'old']))
    const waits = (tweak: Partial<PlanInput>) =>
      plan({ ...stack, ...tweak }).steps.map((s) => [
        s.services.join(),
        ...s.waitFor.map((w) => `${w.service} ${w.until}`),
      ])

    it('waits before a step for what the steps before it have touched', () => {
      expect(waits({ wanted: wantedFor('db', 'job', 'web') })).toEqual([
        ['db'],
        ['job', 'db healthy'],
        ['web', 'db healthy', 'job done'],
      ])
      expect(waits({ wanted: wantedFor('db', 'web') })).toEqual([['db'], ['web', 'db healthy']])
      expect(waits({ wanted: wantedFor('web') })).toEqual([['web']])
    })

    it('waits for what runs, but was not seen healthy yet', () => {
      const wanted = wantedFor('web')
      expect(waits({ wanted, unproven: ['db', 'web'] })).toEqual([['web', 'db healthy']])
      const containers = stack.containers.filter((c) => c.service !== 'db')
      expect(waits({ wanted, containers, deployed: ['web'], unproven: ['db'] })).toEqual([['web']])
    })

    it('does not wait for what is scaled to zero', () => {
      const scaled = services.map((s) => (s.name === 'db' ? { ...s, scale: 0 } : s))
      const wanted = wantedFor('db', 'web')
      expect(waits({ services: scaled, wanted })).toEqual([['db'], ['web']])
    })

    it('does not have a job run again by those that waited for it', () => {
      const { steps } = plan({ ...stack, wanted: wantedFor('db', 'job', 'web') })
      expect(steps.map((s) => [s.services.join(), s.noDeps])).toEqual([
        ['db', true],
        ['job', false],
        ['web', true],
      ])
    })

    it('neither touches nor waits for what is left out', () => {
      const whole = plan({ ...stack, wanted: wantedFor('db', 'web') })
      expect(withoutServices(whole, ['db']).steps).toEqual([
        { services: ['web'], noDeps: false, waitFor: [] },
      ])
    })
  })

  it('takes along who holds the id of a re-created container', () => {
    const services = [
      aService('a'),
      aService('b', { dependsOn: ['a'], sharesWith: ['a'] }),
      aService('c', { dependsOn: ['b'], sharesWith: ['b'] }),
    ]
    const containers = ['a', 'b', 'c'].map((n) => aContainer(n, ''))
    expect(plan({ services, containers, deployed: undefined })).toMatchObject({
      affected: ['a', 'b', 'c'],
      peers: ['b', 'c'],
    })
  })
})
