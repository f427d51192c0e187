import { expect, it } from 'vitest'
import { withUserInfo } from './provider.ts'

it('takes whether an address is verified from whoever names the address', () => {
  const token = { sub: 'mal', email_verified: true, auth_time: 1 }
  const userInfo = { sub: 'mal', email: 'ann@example.com', email_verified: false, groups: ['dev'] }
  expect(withUserInfo(token, userInfo)).toEqual({
    ...{ sub: 'mal', auth_time: 1, groups: ['dev'] },
    ...{ email: 'ann@example.com', email_verified: false },
  })
  expect(withUserInfo(token, { sub: 'mal', email: 'ann@example.com' })).toMatchObject({
    email_verified: undefined,
  })
})
