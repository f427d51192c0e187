import { describe, expect, it } from 'vitest'
import { openGenerate } from './generate.ts'
import type { Credential, Step } from './rotator.ts'

const old: Credential = { slot: undefined, values: { current: 'b', previous: 'a', list: '["b"]' } }
const next: Credential = { slot: undefined, values: { current: 'c' } }

describe('the rotator generate', () => {
  it('lets every service know the new value before one uses it', () => {
    const rotator = openGenerate({ order: 'AddFirst' })
    const steps: Step[] = ['Add', 'Switch', 'Remove']
    expect(steps.map((step) => rotator.valuesAt?.(step, old, next))).toEqual([
      { current: 'b', previous: 'a', list: '["c","b"]' },
      { current: 'c', previous: 'b', list: '["c","b"]' },
      { current: 'c', previous: 'c', list: '["c"]' },
    ])
  })

  it('begins with one value, and makes another each time', async () => {
    const rotator = openGenerate({ order: 'AddFirst', length: 40, charset: 'hex' })
    const [one, two] = [await rotator.make(undefined), await rotator.make(undefined)]
    expect(one.values['current']).toMatch(/^[0-9a-f]{40}$/)
    expect(two.values['current']).not.toBe(one.values['current'])
    expect(rotator.valuesAt?.('Switch', undefined, next)).toEqual({
      ...{ current: 'c', previous: 'c', list: '["c"]' },
    })
  })
})
