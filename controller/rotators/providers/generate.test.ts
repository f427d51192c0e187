import { describe, expect, it } from 'vitest'
import { openGenerate } from './generate.ts'
import type { Credential, RolloutStep } from './rotator.ts'

const old: Credential = { slot: undefined, values: { current: 'b', previous: 'a', list: '["b"]' } }
const next: Credential = { slot: undefined, values: { current: 'c' } }

describe('the rotator generate', () => {
  it('lets every service know the new value before one uses it', () => {
    const rotator = openGenerate({ order: 'AddFirst' })
    const steps: RolloutStep[] = ['Add', 'Switch', 'Remove']
    expect(steps.map((step) => rotator.valuesAt?.(step, old, next))).toEqual([
      { current: 'b', previous: 'c', list: '["c","b"]' },
      { current: 'c', previous: 'b', list: '["c","b"]' },
      { current: 'c', previous: 'c', list: '["c"]' },
    ])
  })

  it.each(['pair', 'list'] as const)(
    'has whoever checks with the %s accept what is signed, whichever container is re-created first',
    (way) => {
      const rotator = openGenerate({ order: 'AddFirst' })
      type Values = Credential['values']
      const knows = ({ current = '', previous = '', list = '[]' }: Values): string[] =>
        way === 'pair' ? [current, previous] : (JSON.parse(list) as string[])
      let at: Values = rotator.valuesAt!('Switch', undefined, {
        slot: undefined,
        values: { current: 'a' },
      })
      for (const current of ['b', 'c', 'd']) {
        const before: Credential = { slot: undefined, values: at }
        for (const step of ['Add', 'Switch', 'Remove'] as const) {
          const after = rotator.valuesAt!(step, before, { slot: undefined, values: { current } })
          // During a rollout either may still have what it had before.
          for (const signer of [at, after])
            for (const checker of [at, after]) expect(knows(checker)).toContain(signer['current'])
          at = after
        }
        expect(at['current']).toBe(current)
      }
    },
  )

  it('begins with one value, and makes another each time', async () => {
    const rotator = openGenerate({ order: 'AddFirst', length: 40, charset: 'hex' })
    const [one, two] = [await rotator.make(undefined), await rotator.make(undefined)]
    expect(one.values['current']).toMatch(/^[0-9a-f]{40}$/)
    expect(two.values['current']).not.toBe(one.values['current'])
    expect(rotator.valuesAt?.('Switch', undefined, next)).toEqual({
      current: 'c',
      previous: 'c',
      list: '["c"]',
    })
  })
})
