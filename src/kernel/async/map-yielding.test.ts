import { describe, expect, test } from 'vitest'
import { mapYielding } from './map-yielding.ts'

describe('mapping in turns', () => {
  test('gives what map gives', async () => {
    const items = Array.from({ length: 250 }, (_, i) => i)
    expect(await mapYielding(items, (item, index) => item + index)).toEqual(items.map((i) => 2 * i))
    expect(await mapYielding([], String)).toEqual([])
  })

  test('lets others have their turn', async () => {
    let others = 0
    const other = setInterval(() => (others += 1), 0)
    const turns = await mapYielding(Array.from({ length: 2_000 }), () => {
      for (const end = performance.now() + 0.1; performance.now() < end;);
      return others
    })
    clearInterval(other)
    expect(turns.at(-1)).toBeGreaterThan(3)
  })

  test('rejects with what the function throws', async () => {
    const failing = mapYielding([1], () => {
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
  })
})
