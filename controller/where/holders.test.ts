import { expect, it } from 'vitest'
import { objectOf, secretOf, stageletOf } from '../../test/support/databases/store-fixtures.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { SecretVersion } from '../../src/store/core/history.ts'
import type { DeliveredRevision } from '../../src/store/history/deliveries.ts'
import { holdersIn, type HolderStore } from './holders.ts'

const ns = 'default'
const keys = 'now'
const inEnvironment = (name: string, environment: string): KubeObject => {
  const stagelet = stageletOf(ns, name)
  return { ...stagelet, spec: { ...stagelet.spec, environment } }
}
const isolated = ['preview']
const layoutWith = (...stagelets: [string, string][]) => ({
  isolated,
  stagelets: new Map(stagelets),
})
const delivery = (more: Partial<DeliveredRevision> = {}): DeliveredRevision => ({
  stagelet: 'prod',
  agent: `${ns}/box`,
  keys,
  revision: 3,
  layout: layoutWith(['prod', 'production'], ['pr', 'preview']),
  ...more,
})

/** Names of the agents that hold version 2, which was in the revisions 3 and 4. */
const holders = async (
  deliveries: readonly DeliveredRevision[],
  version: Partial<SecretVersion> = {},
): Promise<string[]> => {
  const agent = { ...objectOf('Agent', ns, 'box'), status: { keyFingerprint: keys } }
  const project = objectOf('Project', ns, 'shop', {
    environments: [{ name: 'production' }, { name: 'preview', inherits: 'Nothing' }],
  })
  const stagelets = [inEnvironment('prod', 'production'), inEnvironment('pr', 'preview')]
  const row = { version: 2, fromRevision: 3, toRevision: 5, scope: 'web', ...version }
  const store = {
    get: () => Promise.resolve(project),
    list: (kind: string) => Promise.resolve({ items: kind === 'Agent' ? [agent] : stagelets }),
    versionsOf: () => Promise.resolve([row]),
    deliveries: () => Promise.resolve(deliveries),
  } as unknown as HolderStore
  return [...(await holdersIn(store, secretOf(ns, 'key') as never))(2)]
}

it('are those whose own stagelet was sent a revision with the version', async () => {
  expect(await holders([delivery()])).toEqual(['box'])
  expect(await holders([delivery({ revision: 4 })])).toEqual(['box'])
})

it.each<[string, Partial<DeliveredRevision>, Partial<SecretVersion>]>([
  ['a revision before it', { revision: 2 }, {}],
  ['a revision after it', { revision: 5 }, {}],
  ['keys that another machine had', { keys: 'before' }, {}],
  ['no keys', { keys: null }, {}],
  ['a stagelet that is on another machine now', { agent: `${ns}/old` }, {}],
  ['a stagelet that is gone', { stagelet: 'gone' }, {}],
  ['an environment that sees nothing of the project', { stagelet: 'pr' }, {}],
  [
    'a revision that it saw in another environment',
    { layout: layoutWith(['prod', 'preview']) },
    {},
  ],
  ['a version of another environment', {}, { environments: ['preview'] }],
  ['a version of another stagelet', {}, { stagelet: 'pr' }],
  ['a version for the controller alone', {}, { audience: 'Controller' }],
])('are none by %s', async (_, sent, version) => {
  expect(await holders([delivery(sent)], version)).toEqual([])
})
