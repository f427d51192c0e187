import { describe, expect, it } from 'vitest'
import { describeFaults, isPassable, validateValues } from './validate-values.ts'

describe('validateValues', () => {
  it('lets everything pass that Linux passes, to the byte', () => {
    expect(isPassable('K', Buffer.alloc(131_069, 'x'))).toBe(true)
    expect(isPassable('K', Buffer.alloc(131_070, 'x'))).toBe(false)
    expect(validateValues('web', [{ key: 'K', value: Buffer.from('é\n$') }])).toEqual([])
  })

  it('names every key that cannot pass, and no value', () => {
    const faults = validateValues('web', [
      { key: 'NUL', value: Buffer.from('hush\0hush') },
      { key: 'BYTES', value: Buffer.from([0xc3, 0x28]) },
      { key: 'FINE', value: Buffer.from('fine') },
    ])
    expect(faults.map((f) => f.key)).toEqual(['NUL', 'BYTES'])
    expect(describeFaults(faults)).not.toContain('hush')
  })

  it('refuses what is too much in all: 20 values of 100 KiB pass, 21 do not', () => {
    const values = (count: number) =>
      Array.from({ length: count }, (_, i) => ({
        key: `K${i}`,
        value: Buffer.alloc(100 * 1024, 'x'),
      }))
    expect(validateValues('web', values(20))).toEqual([])
    expect(describeFaults(validateValues('web', values(21)))).toMatch(
      /^web: the variables of the service are/,
    )
  })
})
