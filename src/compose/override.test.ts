import fc from 'fast-check'
import { parse } from 'yaml'
import { describe, expect, it } from 'vitest'
import { renderOverride } from './override.ts'
import { runs } from '../../test/support/soak.ts'
import { codePoint } from '../../test/support/code-point.ts'

type Parsed = Record<
  string,
  { environment?: Record<string, string>; labels: Record<string, string> }
>
const parsed = (yaml: Buffer): Parsed => (parse(yaml.toString()) as { services: Parsed }).services

describe('renderOverride', () => {
  it('is readable, quotes everything and labels the service', () => {
    const entries = [{ key: 'A', value: Buffer.from('say "$HOME"\n') }]
    expect(renderOverride([{ service: 'web', digest: 'abc', entries }]).toString()).toBe(
      [
        'services:',
        '  "web":',
        '    environment:',
        '      "A": "say \\"$$HOME\\"\\x0a"',
        '    labels:',
        '      "dev.stagely.digest": "abc"',
        '',
      ].join('\n'),
    )
  })

  it('is valid without any service', () => {
    expect(parsed(renderOverride([]))).toEqual({})
  })

  it('makes networks of the stack that are to stay as they are ones of others', () => {
    const kept = [{ key: 'inner', name: 'shop$_inner' }]
    expect(renderOverride([], kept).toString()).toBe(
      'services: {}\nnetworks:\n  "inner": !override {external: true, name: "shop$$_inner"}\n',
    )
  })

  it('does not double the dollar of a key, which Compose does not interpolate', () => {
    const entries = [{ key: 'A$V', value: Buffer.from('x$y') }]
    expect(
      parsed(renderOverride([{ service: 's', digest: 'd', entries }]))['s']?.environment,
    ).toEqual({ A$V: 'x$$y' })
  })

  it('carries any text: YAML gives it back, dollars doubled, in printable ASCII', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: codePoint }), { maxLength: 8 }), (texts) => {
        const entries = texts.map((text, i) => ({ key: `K${i}`, value: Buffer.from(text) }))
        const output = renderOverride([{ service: 's', digest: 'd', entries }])
        expect(output.toString('latin1')).toMatch(/^[ -~\n]*$/)
        const environment = parsed(output)['s']?.environment ?? {}
        texts.forEach((text, i) => {
          expect(environment[`K${i}`]).toBe(text.replaceAll('$', '$$$$'))
        })
      }),
      runs(150, 5_000),
    )
  })
})
