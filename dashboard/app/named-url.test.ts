import { expect, it } from 'vitest'
import { askedById, namedUrl } from './named-url.ts'

const id = (prefix: string): string => `${prefix}_${'0'.repeat(24)}z`

it('puts the names in place of an id, and keeps the rest of the address', () => {
  const asked = askedById(`/ui/t/any/p/${id('proj')}/revisions/2?against=1`)
  expect(asked).toMatchObject({ kind: 'p', id: id('proj') })
  expect(namedUrl(asked!, { team: 'default', name: 'shop' })).toBe(
    '/ui/t/default/p/shop/revisions/2?against=1',
  )
  expect(askedById(`/ui/t/default/s/${id('stg')}`)).toMatchObject({ kind: 's', rest: '' })
  expect(askedById(`/ui/t/default/a/${id('agt')}?x`)).toMatchObject({ kind: 'a', rest: '?x' })
})

it('takes a name for a name', () => {
  for (const path of ['p/shop', 's/proj-1', `p/${id('proj')}0`, `p/${id('sec')}`])
    expect(askedById(`/ui/t/default/${path}`)).toBeUndefined()
})
