import { expect, it } from 'vitest'
import { sayMissing } from './compose-up.ts'

it('names the services of an image that is missing', () => {
  expect(
    sayMissing([
      ['shop/web:2', 'web'],
      ['shop/api:2', 'worker'],
      ['shop/api:2', 'api'],
    ]),
  ).toBe(
    'services api, worker: image shop/api:2 is not on this machine and not to be pulled; service web: image shop/web:2 is not on this machine and not to be pulled',
  )
})
