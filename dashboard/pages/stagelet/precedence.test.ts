import { describe, expect, it } from 'vitest'
import type { SetEntry } from '../../../src/secrets/set-entry.ts'
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
    const { rungs } = explainKey(
      { entries },
      {
        service: 'web',
        stagelet: 'prod',
        key: 'A',
        composeKeys: [],
      },
    )
    expect(rungs.map(({ won, losesTo }) => (won ? 'won' : losesTo))).toEqual([
      undefined,
      'won',
      2,
      2,
    ])
  })
})
