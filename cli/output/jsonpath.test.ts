import { describe, expect, it } from 'vitest'
import { renderJsonPath } from './jsonpath.ts'

const list = {
  items: [
    {
      metadata: { name: 'shop', annotations: { 'stagely.dev/owner': 'ann' } },
      status: { conditions: [{ type: 'Ready', status: 'True' }], services: 2 },
    },
    { metadata: { name: 'blog' }, status: { conditions: [{ type: 'Ready', status: 'False' }] } },
  ],
}
const [shop] = list.items

describe('a JSONPath template', () => {
  it.each([
    ['{.metadata.name}', 'shop'],
    ['name: {.metadata.name}\n', 'name: shop\n'],
    ['{$.metadata.name}{"\\t"}{@.status.services}', 'shop\t2'],
    ['{.metadata.annotations.stagely\\.dev/owner}', 'ann'],
    ["{.metadata.annotations['stagely.dev/owner']}", 'ann'],
    ['{.status.conditions[?(@.type=="Ready")].status}', 'True'],
    ['{.status.conditions[0]}', '{"type":"Ready","status":"True"}'],
    ['{.status.none}', ''],
    ['{.metadata.name', 'refused'],
    ['{end}', 'refused'],
    ['{range .items[*]}', 'refused'],
  ])('%s of an object gives %s', (template, wanted) => {
    if (wanted === 'refused')
      expect(() => renderJsonPath(template, shop!)).toThrow(/^-o jsonpath: /)
    else expect(renderJsonPath(template, shop!)).toBe(wanted)
  })

  it.each([
    ['{.items[*].metadata.name}', 'shop blog'],
    ['{.items[-1:].metadata.name}', 'blog'],
    ['{range .items[*]}{.metadata.name}{"\\n"}{end}', 'shop\nblog\n'],
    [
      '{range .items[*]}{.metadata.name}:{range .status.conditions[*]} {.type}={.status}{end};{end}',
      'shop: Ready=True;blog: Ready=False;',
    ],
    ['{.items[?(@.metadata.name=="blog")].status.conditions[0].status}', 'False'],
  ])('%s of a list gives %s', (template, wanted) => {
    expect(renderJsonPath(template, list)).toBe(wanted)
  })

  it('runs no code', () => {
    const template = '{.items[?(process.exit(7))].metadata.name}'
    expect(() => renderJsonPath(template, list)).toThrow(/is no path/)
  })
})
