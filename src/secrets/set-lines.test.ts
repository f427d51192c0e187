import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { setMac } from './digest.ts'
import { SetLines } from './set-lines.ts'

const key = Buffer.alloc(32, 1)
const ids = Array.from({ length: 40 }, () => randomUUID())
const changes = fc.array(
  fc.tuple(fc.constantFrom(...ids), fc.option(fc.string(), { nil: undefined })),
)

describe('the MAC of a set', () => {
  it('is the same for the same lines, in whatever way they came together', () => {
    fc.assert(
      fc.property(changes, (steps) => {
        const wanted = new Map<string, string>()
        let lines = SetLines.from([])
        for (const [id, line] of steps) {
          lines = lines.with(id, line)
          if (line === undefined) wanted.delete(id)
          else wanted.set(id, line)
        }
        const anew = SetLines.from([...wanted].reverse())
        expect(lines.size).toBe(wanted.size)
        expect(lines.mac(key, 7)).toBe(anew.mac(key, 7))
        expect(anew.hasMac(key, 7, lines.mac(key, 7))).toBe(true)
      }),
    )
  })

  it('stays what was stored of the same lines', () => {
    const set = SetLines.from([
      ['0a', 'one'],
      ['0b', 'two'],
      ['ff', 'three'],
    ])
    expect(set.with('0a', 'four').mac(key, 7)).toBe(
      'v2:df08f11ac067cea02e4cda4a46f7cf5c8503200dd66e496506b1de82932c7b90',
    )
  })

  it('is another for another line, secret, revision or key', () => {
    const set = SetLines.from(ids.map((id) => [id, `line of ${id}`]))
    const others = [
      set.with(ids[3]!, 'another').mac(key, 1),
      set.with(ids[3]!, undefined).mac(key, 1),
      set.with(randomUUID(), 'one more').mac(key, 1),
      set.mac(key, 2),
      set.mac(Buffer.alloc(32, 2), 1),
    ]
    expect(new Set([set.mac(key, 1), ...others]).size).toBe(6)
    for (const mac of others) expect(set.hasMac(key, 1, mac)).toBe(false)
    expect(set.hasMac(key, 1, null)).toBe(false)
  })

  it('leaves the set as it was that a change began with', () => {
    const set = SetLines.from([[ids[0]!, 'a']])
    const before = set.mac(key, 1)
    set.with(ids[0]!, 'b').with(ids[1]!, 'c')
    expect(set.mac(key, 1)).toBe(before)
  })

  it('is known in its older form too, and only for the same lines', () => {
    const old = setMac(key, 3, [{ secretId: 'a line', version: 0 }])
    expect(SetLines.from([[ids[0]!, 'a line']]).hasMac(key, 3, old)).toBe(true)
    expect(SetLines.from([[ids[0]!, 'another']]).hasMac(key, 3, old)).toBe(false)
  })
})
