import { expect, it } from 'vitest'
import { volumesNamedAfter } from './compose-mounts.ts'

it('volumes that the name of the project makes are those without a name of their own', () => {
  const volumes = {
    data: { name: 'shop_data' },
    cache: { name: 'shop_cache' },
    fixed: { name: 'archive' },
    outside: { name: 'shop_outside', external: true },
    odd: null,
  }
  expect(volumesNamedAfter('shop', { volumes })).toEqual(['shop_cache', 'shop_data'])
  expect(volumesNamedAfter('shop', {})).toEqual([])
})
