import { describe, expect, it } from 'vitest'
import { renderTemplate, renderedLength, maxReferences, parseTemplate } from './value-template.ts'

const fill = (text: string | Buffer, ...values: string[]): string => {
  const template = parseTemplate(Buffer.from(text as string))
  if (typeof template === 'string') throw new Error(template)
  const parts = values.map((value) => Buffer.from(value))
  const filled = renderTemplate(template, parts)
  expect(filled).toHaveLength(renderedLength(template, parts))
  return filled.toString()
}

describe('a template', () => {
  it('takes references and escapes, and nothing else', () => {
    expect(fill('${A}')).toBe('')
    expect(fill('a${A}b${svc.x/B_1}c', '1', '2')).toBe('a1b2c')
    expect(fill('$A $$ {A} $${A} $$${A}')).toBe('$A $$ {A} ${A} $${A}')
    expect(fill('${A}', '${B}')).toBe('${B}')
    expect(fill('é${A}ü', 'ß')).toBe('éßü')
  })

  it('keeps bytes that are no text', () => {
    const bytes = Buffer.from([0xff, 0x00, 0x24, 0x7b, 0x41, 0x7d, 0xfe])
    const template = parseTemplate(bytes)
    if (typeof template === 'string') throw new Error(template)
    expect(renderTemplate(template, [Buffer.from([0x80])])).toEqual(
      Buffer.from([0xff, 0, 0x80, 0xfe]),
    )
  })

  it.each(['${', '${}', '${A', '${A:-b}', '${a b}', 'x${/A}', '${a/}', '${1}'])(
    'refuses %s and repeats nothing of it',
    (text) => {
      const why = parseTemplate(Buffer.from(`canary ${text}`))
      expect(why).toMatch(/^holds "\$\{" at byte \d+ that is no reference/)
      expect(why).not.toContain('canary')
    },
  )

  it('bounds how many references there are', () => {
    expect(parseTemplate(Buffer.from('${A}'.repeat(maxReferences)))).toBeTypeOf('object')
    expect(parseTemplate(Buffer.from('${A}'.repeat(maxReferences + 1)))).toMatch(/more than 64/)
  })
})
