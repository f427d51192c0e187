import { expect, it } from 'vitest'
import { createEgress } from '../../egress/gate.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import type { RotationSpec } from '../../../src/kinds/rotation/schema.ts'
import { objectOf, stageletOf } from '../../../test/support/databases/store-fixtures.ts'
import { createRotatorOpener, type RotatorOpenerDeps } from './opener.ts'

const spec = {
  projectRef: { name: 'shop' },
  outputs: { username: 'user', password: 'password' },
  rotator: {
    postgres: {
      in: { stagelet: 'prod', service: 'db' },
      database: 'shop',
      owner: 'app',
      roles: ['app_a', 'app_b'],
    },
  },
} as unknown as RotationSpec
const revoked = { type: 'Ready', status: 'False', reason: 'Revoked', message: 'revoked' }

it.each([
  ['does not exist', undefined],
  ['was revoked', { ...objectOf('Agent', 'ns', 'box'), status: { conditions: [revoked] } }],
])('a step for an agent that %s says who can join, and asks nobody', async (why, agent) => {
  const asked: string[] = []
  const get = ({ kind }: { kind: string }): Promise<unknown> =>
    Promise.resolve(
      kind === 'Stagelet' ? stageletOf('ns', 'prod') : kind === 'Agent' ? agent : undefined,
    )
  const store = { get, revealSecret: () => Promise.reject(new Error('no value')) }
  const tasks = {
    run: (agentKey: string) => {
      asked.push(agentKey)
      return Promise.resolve({})
    },
  }
  const open = createRotatorOpener({ store, tasks } as unknown as RotatorOpenerDeps)
  const rotator = await open(
    { uid: 'uid', namespace: 'ns', name: 'db', spec },
    {
      egress: createEgress({ allow: [], deny: [], own: () => [] }),
      clock: realClock,
      secretOf: () => Promise.reject(new Error('no value')),
    },
  )
  await expect(rotator.preflight(new AbortController().signal)).rejects.toMatchObject({
    kind: 'Unreachable',
    message: `agent box of the stagelet prod ${why}: let a machine join by this name (stagely agent token create box -n ns), or name another agent in the stagelet`,
  })
  expect(asked).toEqual([])
})
