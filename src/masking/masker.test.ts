import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMasker, mark } from './masker.ts'
import { maskPatterns } from './patterns.ts'
import { runs } from '../../test/support/soak.ts'

// The slow truth to compare with: every position of every pattern, then runs of hidden bytes.
const hiddenBytes = (text: Buffer, patterns: readonly Buffer[]): boolean[] => {
  const hidden = Array.from({ length: text.length }, () => false)
  for (const pattern of patterns) {
    for (
      let offset = text.indexOf(pattern);
      offset >= 0;
      offset = text.indexOf(pattern, offset + 1)
    ) {
      hidden.fill(true, offset, offset + pattern.length)
    }
  }
  return hidden
}

const heldTail = (text: Buffer, patterns: readonly Buffer[]): number => {
  for (let length = text.length; length > 0; length--) {
    const tail = text.subarray(text.length - length)
    if (patterns.some((p) => p.length > length && p.subarray(0, length).equals(tail))) return length
  }
  return 0
}

const print = (text: Buffer, hidden: readonly boolean[]): string => {
  let out = ''
  for (const [i, byte] of text.entries()) {
    if (hidden[i] !== true) out += String.fromCharCode(byte)
    else if (i === 0 || hidden[i - 1] !== true) out += mark
  }
  return out
}

const reference = (text: Buffer, patterns: readonly Buffer[], stream: boolean): string => {
  const hidden = hiddenBytes(text, patterns)
  const tail = stream ? heldTail(text, patterns) : 0
  if (tail >= 4) hidden.fill(true, text.length - tail)
  return print(text, hidden)
}

const streamed = (values: readonly Buffer[], text: Buffer, cuts: readonly number[]): string => {
  const stream = createMasker(values).stream()
  const out: Buffer[] = []
  let offset = 0
  for (const cut of cuts) {
    out.push(Buffer.from(stream.write(text.subarray(offset, offset + cut))))
    offset += cut
  }
  out.push(Buffer.from(stream.write(text.subarray(offset))), Buffer.from(stream.end()))
  return Buffer.concat(out).toString('latin1')
}

/** Few letters, so that secrets overlap, repeat and are prefixes of one another. */
const word = (minLength: number, maxLength: number, letters = 'ab'): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from(letters)), minLength, maxLength })

const scene = fc
  .tuple(fc.constantFrom('ab', 'abc', 'a+/b'), fc.array(fc.nat({ max: 12 }), { maxLength: 60 }))
  .chain(([letters, cuts]) =>
    fc
      .record({
        values: fc.array(word(8, 20, letters), { minLength: 1, maxLength: 6 }),
        noise: fc.array(word(0, 12, letters), { minLength: 1, maxLength: 10 }),
        order: fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
      })
      .map(({ values, noise, order }) => {
        const pieces = [...values, ...values.map((v) => v.slice(0, -1)), ...noise]
        const text = order.map((n) => pieces[n % pieces.length]).join('')
        return { values: values.map((v) => Buffer.from(v)), text: Buffer.from(text), cuts }
      }),
  )

describe('a masker', () => {
  it('prints the mark in place of a value', () => {
    const masker = createMasker([Buffer.from('abc123secret')])
    expect(masker.mask('API_KEY=abc123secret')).toBe('API_KEY=***REDACTED***')
  })

  it('leaves text without secrets alone', () => {
    const masker = createMasker([Buffer.from('abc123secret'), Buffer.from('8080')])
    expect(masker.mask('listening on 8080')).toBe('listening on 8080')
    expect(createMasker([]).mask('anything')).toBe('anything')
    expect(createMasker([]).count).toBe(0)
  })

  it('hides all of two secrets that overlap', () => {
    const masker = createMasker([Buffer.from('abcdefgh'), Buffer.from('efghijkl')])
    expect(masker.mask('<abcdefghijkl>')).toBe(`<${mark}>`)
  })

  it('equals the brute-force reference on whole text', () => {
    fc.assert(
      fc.property(scene, ({ values, text }) => {
        const masked = createMasker(values).mask(text.toString())
        expect(masked).toBe(reference(text, maskPatterns(values), false))
      }),
      runs(100, 20_000),
    )
  })

  it('equals the brute-force reference however the stream is cut', () => {
    fc.assert(
      fc.property(scene, ({ values, text, cuts }) => {
        expect(streamed(values, text, cuts)).toBe(reference(text, maskPatterns(values), true))
      }),
      runs(150, 30_000),
    )
  })

  it('hides arbitrary bytes in arbitrary bytes', () => {
    const bytes = (minLength: number): fc.Arbitrary<Buffer> =>
      fc.uint8Array({ minLength, maxLength: 60 }).map((b) => Buffer.from(b))
    fc.assert(
      fc.property(
        fc.array(bytes(8), { minLength: 1, maxLength: 5 }),
        fc.array(fc.oneof(bytes(0), fc.nat({ max: 99 })), { maxLength: 12 }),
        fc.array(fc.nat({ max: 30 }), { maxLength: 30 }),
        (values, parts, cuts) => {
          const patterns = maskPatterns(values)
          const text = Buffer.concat(
            parts.map((p) => (typeof p === 'number' ? patterns[p % patterns.length]! : p)),
          )
          expect(streamed(values, text, cuts)).toBe(reference(text, patterns, true))
        },
      ),
      runs(100, 10_000),
    )
  })
})

/** A stack of base64 lines as a program prints them. */
const broken = (base64: string, width: number, between: string): string =>
  (base64.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).join(between)

const letters = '[A-Za-z0-9+/_-]'
/** A break between two lines of base64; the first has 32 characters or more. */
const lineBreak = new RegExp(
  `(?<=${letters}{32})(?:\\r?\\n|(?:\\\\{1,4}r\\\\{1,4}|\\\\{1,4})n)[ \\t]{0,32}(?=${letters})`,
  'g',
)

/** The slow truth for broken lines: the text without its breaks, and where each of its bytes was. */
const hiddenInLines = (text: Buffer, patterns: readonly Buffer[]): boolean[] => {
  const hidden = Array.from({ length: text.length }, () => false)
  const skipped = new Set<number>()
  for (const { index, 0: found } of text.toString('latin1').matchAll(lineBreak))
    for (let i = 0; i < found.length; i++) skipped.add(index + i)
  const places = [...text.keys()].filter((i) => !skipped.has(i))
  const joined = Buffer.from(places.map((i) => text[i]!))
  const plain = new RegExp(`^${letters}+$`)
  for (const pattern of patterns.filter((p) => plain.test(p.toString('latin1'))))
    for (
      let offset = joined.indexOf(pattern);
      offset >= 0;
      offset = joined.indexOf(pattern, offset + 1)
    )
      hidden.fill(true, places[offset], places[offset + pattern.length - 1]! + 1)
  return hidden
}

const brokenScene = fc.record({
  value: fc.uint8Array({ minLength: 9, maxLength: 150 }).map((b) => Buffer.from(b)),
  before: fc.uint8Array({ maxLength: 120 }),
  after: fc.uint8Array({ maxLength: 60 }),
  encoding: fc.constantFrom('base64' as const, 'base64url' as const),
  width: fc.constantFrom(32, 60, 64, 76),
  between: fc.constantFrom('\n', '\r\n', '\\n', '\\r\\n', '\\\\n', '\n    ', '\r\n\t'),
  head: fc.constantFrom('', 'KEY=', 'certificate: ', 'x\n', 'n'),
  foot: fc.constantFrom('', '\n', ' end', '\\n"', '\n-----END'),
})

describe('base64 that is broken into lines', () => {
  const textOf = (scene: typeof brokenScene extends fc.Arbitrary<infer T> ? T : never): Buffer => {
    const { value, before, after, encoding, width, between, head, foot } = scene
    const base64 = Buffer.concat([before, value, after]).toString(encoding)
    return Buffer.from(head + broken(base64, width, between) + foot)
  }

  it('is hidden with its breaks, whatever stands before it and wherever it is broken', () => {
    fc.assert(
      fc.property(brokenScene, (scene) => {
        const text = textOf(scene)
        const patterns = maskPatterns([scene.value])
        const inLines = hiddenInLines(text, patterns)
        const hidden = hiddenBytes(text, patterns).map(
          (isHidden, i) => isHidden || inLines[i] === true,
        )
        const masked = createMasker([scene.value]).mask(text.toString())
        expect(masked).toBe(print(text, hidden))
        expect(masked).toContain(mark)
      }),
      runs(100, 20_000),
    )
  })

  it('is hidden the same wherever a stream is cut', () => {
    fc.assert(
      fc.property(brokenScene, (scene) => {
        const text = textOf(scene)
        const values = [scene.value]
        const whole = streamed(values, text, [])
        expect(whole).toContain(mark)
        for (let cut = 1; cut < text.length; cut++) {
          if (streamed(values, text, [cut]) !== whole)
            expect([cut, streamed(values, text, [cut])]).toEqual([cut, whole])
        }
        expect(
          streamed(
            values,
            text,
            Array.from(text, () => 1),
          ),
        ).toBe(whole)
      }),
      runs(10, 600),
    )
  })

  it('does not hold back lines that are no secret', () => {
    const stream = createMasker([Buffer.from('secret-value-1'.repeat(9))]).stream()
    const line = Buffer.from(`${'QUJD'.repeat(19)}\n`)
    for (let i = 0; i < 5; i++)
      expect(stream.write(line).toString() + stream.flush().toString()).toBe(line.toString())
  })

  it('joins no lines that are shorter than programs break at', () => {
    const value = Buffer.from('correct-horse-battery-staple')
    const masker = createMasker([value])
    expect(masker.mask('correct-horse-\nbattery-staple')).toBe('correct-horse-\nbattery-staple')
  })
})

describe('a mask stream', () => {
  const values = [Buffer.from('secret-value-1')]

  it('shows a short tail on flush, and never more than 3 bytes of a secret', () => {
    const stream = createMasker(values).stream()
    expect(stream.write(Buffer.from('Password: sec')).toString()).toBe('Password: ')
    expect(stream.flush().toString()).toBe('sec')
    expect(stream.write(Buffer.from('ret')).toString()).toBe('')
    expect(stream.flush().toString()).toBe('')
    expect(stream.write(Buffer.from('-value-1!')).toString()).toBe(`${mark}!`)
  })

  it('leaks at most three bytes of any secret when flushed after every write', () => {
    fc.assert(
      fc.property(scene, ({ values, text, cuts }) => {
        const stream = createMasker(values).stream()
        let out = ''
        let offset = 0
        for (const cut of [...cuts, text.length]) {
          out += stream.write(text.subarray(offset, offset + cut)).toString()
          out += stream.flush().toString()
          offset += cut
        }
        out += stream.end().toString()
        for (const value of values) expect(out).not.toContain(value.toString())
      }),
      runs(100, 10_000),
    )
  })

  it('hides a secret that the end cuts off, and prints a tail that tells nothing', () => {
    const cutOff = createMasker(values).stream()
    expect(cutOff.write(Buffer.from('x secr')).toString() + cutOff.end().toString()).toBe(
      `x ${mark}`,
    )
    const harmless = createMasker(values).stream()
    expect(harmless.write(Buffer.from('x sec')).toString() + harmless.end().toString()).toBe(
      'x sec',
    )
  })

  it('hides a value that is longer than the longest pattern', () => {
    const long = Buffer.from(Array.from({ length: 3_000 }, (_, i) => `${i} `).join(''))
    const stream = createMasker([long]).stream()
    const text = Buffer.concat([Buffer.from('<'), long, Buffer.from('>')])
    let out = ''
    for (let offset = 0; offset < text.length; offset += 1000) {
      out += stream.write(text.subarray(offset, offset + 1000)).toString()
    }
    expect(out + stream.end().toString()).toBe(`<${mark}>`)
  })
})
