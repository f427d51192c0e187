import { describe, expect, it } from 'vitest'
import { aContainer } from '../../test/support/agents/a-container.ts'
import { aPlan as plan, aService } from '../../test/support/agents/a-service.ts'
import { withNetworks, withoutServices, type ActionPlan, type PlanInput } from './plan.ts'

const noDeps = (...services: string[]) => ({ services, noDeps: true, waitFor: [] })
const whole = [{ services: [], noDeps: false, waitFor: [] }]

describe('planAction', () => {
  it.each<[string, Partial<PlanInput>, ActionPlan['steps']]>([
    ['does nothing when every label is right', {}, []],
    [
      'brings a whole stack up when nothing is there',
      { containers: [], deployed: undefined },
      whole,
    ],
    [
      'goes in steps where bringing a whole stack up has failed',
      { containers: [], inSteps: true, edited: [] },
      [{ services: ['a', 'b'], noDeps: true, waitFor: [] }],
    ],
    ['touches only what was edited when told to roll edits out', { edited: ['b'] }, [noDeps('b')]],
    [
      'makes what is new in the files when told to roll edits out',
      { containers: [aContainer('a', 'new')], deployed: ['a'], edited: [] },
      [noDeps('b')],
    ],
    [
      'leaves a finished job alone when told to roll edits out',
      {
        containers: [aContainer('a', 'new', { state: 'exited' }), aContainer('b', '')],
        edited: ['b'],
      },
      [noDeps('b')],
    ],
    [
      'touches a service whose label is another',
      { wanted: new Map([['a', 'newer']]) },
      [noDeps('a')],
    ],
    [
      'touches a service that has a label and should have none',
      { wanted: new Map() },
      [noDeps('a')],
    ],
    [
      'brings back a deployed service that is gone',
      { containers: [aContainer('a', 'new')] },
      [noDeps('b')],
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
      [noDeps('a')],
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
      [noDeps('a')],
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
      noDeps('a', 'd'),
      { services: ['b'], noDeps: false, waitFor: [] },
      { services: ['c'], noDeps: false, waitFor: [] },
    ])
  })

  it('makes a service as part of the whole stack, but where Compose would change what it depends on', () => {
    const wanted = new Map([
      ['a', 'old'],
      ['b', 'old'],
      ['c', 'new'],
      ['d', 'old'],
    ])
    const whole = { services: ['c'], noDeps: false, waitFor: [] }
    expect(plan({ ...chain, wanted }).steps).toEqual([whole])
    expect(plan({ ...chain, wanted, diverging: ['c', 'd'] }).steps).toEqual([whole])
    expect(plan({ ...chain, wanted, diverging: ['a'] }).steps).toEqual([noDeps('c')])
    // What a step before it has made of the files as they are does not differ any more.
    expect(plan({ ...chain, wanted: all, diverging: ['a', 'b', 'c'] }).steps).toEqual([
      noDeps('a', 'd'),
      { services: ['b'], noDeps: false, waitFor: [] },
      whole,
    ])
  })

  it('comes to what is doubtful, and who depends on that, last, one by one', () => {
    expect(plan({ ...chain, wanted: all, doubtful: ['b', 'd'] }).steps).toEqual([
      noDeps('a'),
      { services: ['b'], noDeps: false, waitFor: [], doubtful: true },
      { ...noDeps('d'), doubtful: true },
      { services: ['c'], noDeps: false, waitFor: [], doubtful: true },
    ])
  })

  it('makes who links to a re-created container by the engine’s bridge anew by force', () => {
    const services = [
      aService('a'),
      aService('b', { dependsOn: ['a'], sharesWith: ['a'], linksTo: ['a'] }),
    ]
    expect(
      plan({ services, containers: [aContainer('a', 'old'), aContainer('b', '')] }).steps,
    ).toEqual([noDeps('a'), { services: ['b'], noDeps: false, waitFor: [], forced: true }])
  })

  it('makes who links to a container anew by force where that came after it, and nobody else', () => {
    const links = { dependsOn: ['a'], sharesWith: ['a'], linksTo: ['a'] }
    const services = [aService('a'), aService('b', links), aService('c', links)]
    const containers = [
      aContainer('a', 'new', { createdAtMs: 5_000 }),
      aContainer('b', '', { createdAtMs: 4_000 }),
      aContainer('c', '', { createdAtMs: 5_000 }),
    ]
    expect(plan({ services, containers, deployed: ['a', 'b', 'c'] }).steps).toEqual([
      { services: ['b'], noDeps: false, waitFor: [], forced: true },
    ])
  })

  it('does not run a finished job again for what it shares a namespace with', () => {
    const services = [aService('a'), aService('b', { sharesWith: ['a'] })]
    const containers = [aContainer('a', 'old'), aContainer('b', '', { state: 'exited' })]
    expect(plan({ services, containers }).affected).toEqual(['a'])
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

    it('comes first to what waits for nothing', () => {
      const others = [
        ...services,
        aService('free', { dependsOn: ['db'] }),
        aService('last', { dependsOn: ['free'] }),
      ]
      const wanted = new Map(others.map((s) => [s.name, 'new']))
      const containers = others.map((s) => aContainer(s.name, 'old'))
      const { steps } = plan({ services: others, wanted, containers })
      expect(steps.map((s) => s.services.join())).toEqual(['db', 'free', 'last', 'job', 'web'])
    })

    it('neither touches nor waits for what is left out', () => {
      const whole = plan({ ...stack, wanted: wantedFor('db', 'web') })
      expect(withoutServices(whole, ['db']).steps).toEqual([
        { services: ['web'], noDeps: false, waitFor: [] },
      ])
    })
  })

  it('makes edited networks anew at first, in one step for all that run on them, and restarts who shares a network with those', () => {
    const services = [
      aService('a'),
      aService('b'),
      aService('job'),
      aService('peer', { dependsOn: ['a'], sharesWith: ['a'] }),
    ]
    const containers = [
      ...['a', 'b', 'peer'].map((n) => aContainer(n, 'new')),
      aContainer('job', 'new', { state: 'exited' }),
    ]
    const edits = { names: ['shop_inner'], services: ['a', 'b', 'job'] }
    const given = { services, containers }
    const whole = withNetworks({ steps: [], affected: [], peers: [] }, edits, given)
    expect(whole).toEqual({
      steps: [
        { services: ['a', 'b'], noDeps: true, waitFor: [], networks: true, restarts: ['peer'] },
      ],
      affected: ['a', 'b'],
      peers: [],
    })
  })

  it('makes anew what shares with a container that is gone, but no job that is done', () => {
    const services = [
      aService('a'),
      ...['b', 'job'].map((n) => aService(n, { dependsOn: ['a'], sharesWith: ['a'] })),
      aService('outside'),
    ]
    const containers = [
      aContainer('a', 'new'),
      aContainer('b', '', { cutOff: true }),
      aContainer('job', '', { cutOff: true, state: 'exited' }),
      aContainer('outside', '', { cutOff: true }),
    ]
    const deployed = services.map((s) => s.name)
    expect(plan({ services, containers, deployed }).affected).toEqual(['b'])
    // Not where it was not deployed from here.
    expect(plan({ services, containers, deployed: [] }).affected).toEqual([])
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
