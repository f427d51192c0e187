import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dotenvEntries, renderDotenv } from './dotenv.ts'
import { codePoint } from '../../test/support/code-point.ts'

const read = (text: string): Record<string, string> =>
  Object.fromEntries(dotenvEntries(text).entries.map((e) => [e.key, String(e.value)]))

describe('parseDotenv', () => {
  // Each of these was given to `docker compose config`, which answered the same.
  it.each([
    ['K=a b', 'a b'],
    ['K=a #c', 'a'],
    ['K=a#c', 'a#c'],
    ['K=a\t# c', 'a\t# c'],
    ['K=\u2028a', '\u2028a'],
    ['K="a"\t# c', 'a'],
    ['K=\ta\t', 'a'],
    [' export\tK = a', 'a'],
    ['K:a', 'a'],
    ['K=', ''],
    ['K="a" #c', 'a'],
    [String.raw`K='a\'b'`, "a'b"],
    [String.raw`K='a\nb$A'`, String.raw`a\nb$A`],
    ['K=x$A', 'xaa'],
    ['K=${A}', 'aa'],
    ['K=${NO:-d}', 'd'],
    ['K=${EMPTY:-d}', 'd'],
    ['K=${EMPTY-d}', ''],
    ['K=${A:+alt}', 'alt'],
    ['K=${NO:-${A}}', 'aa'],
    [String.raw`K=\$A`, String.raw`\aa`],
    [String.raw`K=a\nb`, String.raw`a\nb`],
    [String.raw`K="a\tb\zc\"d\\"`, 'a\tb\\zc"d\\'],
    [String.raw`K="\${A}\0101"`, '${A}A'],
    ['K="a\nb"', 'a\nb'],
    ["K='a\nb'", 'a\nb'],
    ['K=a"b"', 'a"b"'],
    ["K=it's", "it's"],
    ['K=a\r', 'a'],
    ['K=$$1$', '$1$'],
    ['K=# c', '# c'],
    ['K={"a": "b"}', '{"a": "b"}'],
  ])('reads %j', (line, value) => {
    expect(read(`A=aa\nEMPTY=\n${line}\nZ=z\n`)).toEqual({ A: 'aa', EMPTY: '', K: value, Z: 'z' })
  })

  // Compose takes what follows as the next line: a value that is cut short without a word.
  it.each(['K="a"b', "K='a' b", 'K="a"B=c', `K="a"'b'`])('refuses %j', (line) => {
    expect(dotenvEntries(`${line}\nZ=z\n`)).toMatchObject({
      entries: [{ key: 'Z' }],
      faults: [
        { where: 'line 1', message: 'something follows the closing quote of the value of K' },
      ],
    })
  })

  it('names every fault by its line, and repeats nothing of a value', () => {
    const text = '\uFEFFA=1\n\nB="x\ny"\nalone\nC=hush$hush2\nD=${hush\na b=hush\nE="hush'
    const { entries, faults } = dotenvEntries(text)
    expect(entries.map((e) => [e.key, e.where])).toEqual([
      ['A', 'line 1'],
      ['B', 'line 3'],
    ])
    expect(faults.map((f) => f.where)).toEqual(['line 5', 'line 6', 'line 7', 'line 8', 'line 9'])
    expect(JSON.stringify(faults)).not.toContain('hush')
  })
})

it('reads every text back that it has written', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: codePoint, maxLength: 40 }), { maxLength: 8 }),
      (values) => {
        const entries = values.map((value, i) => ({ key: `K${i}`, value }))
        const { entries: back, faults } = dotenvEntries(renderDotenv(entries))
        expect(faults).toEqual([])
        expect(back.map((e) => String(e.value))).toEqual(
          values.map((v) => Buffer.from(v).toString()),
        )
      },
    ),
    { numRuns: 40 },
  )
})
