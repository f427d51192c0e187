import { describe, expect, it } from 'vitest'
import type { ProjectEntry, SetEntry } from '../../../src/secrets/set-entry.ts'
import { explainKey } from './precedence.ts'

describe('whyOf', () => {
  it('says of each loser to which rank it loses', () => {
    const entry = (scope: string, stagelet?: string): SetEntry => ({
      secretId: `${scope} ${stagelet}`,
      name: 'n',
      version: 1,
      key: 'A',
      scope,
      type: 'env',
      bytes: 1,
      valueDigest: '',
      ...(stagelet === undefined ? {} : { stagelet }),
    })
    const entries = [entry('global'), entry('web'), entry('global', 'prod'), entry('web', 'test')]
    const { ranks } = explainKey(
      { entries },
      {
        service: 'web',
        stagelet: 'prod',
        key: 'A',
        composeKeys: [],
      },
    )
    expect(ranks.map(({ won, losesTo }) => (won ? 'won' : losesTo))).toEqual([
      undefined,
      'won',
      2,
      2,
    ])
  })

  it('says of a value that is referred to which environments it names', () => {
    const entry = (key: string, more: Partial<ProjectEntry>): ProjectEntry => ({
      secretId: key,
      name: key.toLowerCase(),
      version: 1,
      key,
      scope: 'global',
      type: 'env',
      bytes: 1,
      valueDigest: '',
      ...more,
    })
    const entries = [
      entry('URL', { references: ['PASSWORD'] }),
      entry('PASSWORD', { environments: ['production'] }),
    ]
    const layout = { stagelets: new Map([['shop', 'production']]), isolated: [] }
    const query = { service: 'web', stagelet: 'shop', key: 'URL', composeKeys: [] }
    const { chain } = explainKey({ entries, layout }, query)
    expect(chain?.refersTo.map(({ entry: { environments } }) => environments)).toEqual([
      ['production'],
    ])
  })
})
