import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHitCounter, isUnmaskable } from './hit-counter.ts'
import type { KeyedValue } from './keyed-search.ts'
import { createMasker, mark } from './masker.ts'
import { runs } from '../../test/support/soak.ts'

const secret = 'sk_live_canary-4711'
const keyed = (key: string, value: string): KeyedValue => ({ key, value: Buffer.from(value) })

const hitsIn = (
  values: readonly KeyedValue[],
  text: Buffer | string,
  cuts: readonly number[] = [],
): Record<string, number> => {
  const bytes = Buffer.from(text)
  const stream = createHitCounter(values).stream()
  let offset = 0
  for (const cut of cuts) {
    stream.write(bytes.subarray(offset, offset + cut))
    offset += cut
  }
  stream.write(bytes.subarray(offset))
  stream.end()
  return Object.fromEntries(stream.hits)
}

describe('hits by key', () => {
  it('are counted wherever the text is cut', () => {
    const text = `a ${secret} b ${secret}\n${secret}`
    for (let cut = 0; cut <= text.length; cut++)
      expect(hitsIn([keyed('KEY', secret)], text, [cut])).toEqual({ KEY: 3 })
  })

  it('count each form in which programs print a value', () => {
    const value = `pa"ss & w'ord`
    const forms = [
      value,
      JSON.stringify(value),
      encodeURIComponent(value),
      Buffer.from(`:${value}:`).toString('base64'),
      `https://x?q=${new URLSearchParams({ q: value }).toString()}`,
    ]
    expect(hitsIn([keyed('KEY', value)], forms.join('\n'))).toEqual({ KEY: forms.length })
  })

  it('count base64 that is broken into lines', () => {
    const long = Buffer.from('x'.repeat(50) + secret + 'y'.repeat(50)).toString('base64')
    const broken = long.replace(/.{76}/g, '$&\n')
    expect(broken).toContain('\n')
    for (let cut = 0; cut <= broken.length; cut += 5)
      expect(hitsIn([keyed('KEY', secret)], broken, [cut])).toEqual({ KEY: 1 })
  })

  it('count a value that was cut to pieces for the search once', () => {
    const value = Array.from({ length: 9_000 }, (_, i) => (i * 7919).toString(36)).join('')
    expect(hitsIn([keyed('LONG', value)], `${value} ${value}`, [5_000, 9_000])).toEqual({ LONG: 2 })
  })

  it('belong to every key that has the value, and to each key whose value lies within', () => {
    const url = `postgres://app:${secret}@db/app`
    const values = [keyed('PASSWORD', secret), keyed('COPY', secret), keyed('URL', url)]
    expect(hitsIn(values, `${url} and ${secret}`)).toEqual({ PASSWORD: 2, COPY: 2, URL: 1 })
  })

  it('are counted for a key with an old and a new value, and for none that is too short', () => {
    const values = [
      keyed('KEY', 'the-old-canary'),
      keyed('KEY', 'the-new-canary'),
      keyed('PORT', '8080'),
    ]
    expect(hitsIn(values, 'the-old-canary the-new-canary 8080')).toEqual({ KEY: 2 })
    expect(['8080', '1234567', '12345678', ''].map((v) => isUnmaskable(Buffer.from(v)))).toEqual([
      true,
      true,
      false,
      false,
    ])
  })

  it('are as many as the marks of the masker, however a stream is cut', () => {
    const value = fc.constantFrom('abababab', 'abababba', 'aaaabbbb', 'bbbbbbbbb')
    const piece = fc.oneof(value, fc.constantFrom('.', 'ab', 'abab', 'bb', '\n'))
    const text = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''))
    const cuts = fc.array(fc.nat({ max: 9 }), { maxLength: 12 })
    fc.assert(
      fc.property(value, text, cuts, (canary, shown, cut) => {
        // In lines of base64 one mark hides two values on both sides of a break.
        fc.pre(!shown.includes(`${canary}\n${canary}`))
        const marks =
          createMasker([Buffer.from(canary)])
            .mask(shown)
            .split(mark).length - 1
        const hits = hitsIn([keyed('KEY', canary)], shown, cut)['KEY'] ?? 0
        expect(hits).toBe(marks)
      }),
      runs(80, 30_000),
    )
  })
})
