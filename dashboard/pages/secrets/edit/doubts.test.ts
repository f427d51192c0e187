import { expect, it } from 'vitest'
import { reachDoubt, secretDoubt } from './doubts.ts'
import type { EditFields } from './edit-plan.ts'

const fields = (part: Partial<EditFields> = {}): EditFields => ({
  key: 'LEVEL',
  scope: 'global',
  stagelet: '',
  type: 'env',
  path: '',
  visibility: 'Plain',
  ...part,
})

it('asks where what becomes readable looks like a secret, by its form or its name', () => {
  const of = (key: string, text: string | undefined, isShownAnew = true): string | undefined =>
    secretDoubt({ fields: fields({ key }), text, isShownAnew })
  expect(of('LEVEL', 'debug')).toBeUndefined()
  expect(of('LEVEL', 'ghp_0123456789012345678901234567890123')).toMatch(/looks like a secret/)
  expect(of('DB_PASSWORD', undefined)).toMatch(/^The value of DB_PASSWORD looks like a secret/)
  expect(of('DB_PASSWORD', undefined, false)).toBeUndefined()
})

it('says where a key was kept to fewer services', () => {
  const entry = (more: object) => ({ key: 'LEVEL', scope: 'web', ...more }) as never
  expect(reachDoubt({ fields: fields(), others: [] })).toBeUndefined()
  expect(reachDoubt({ fields: fields(), others: [entry({})] })).toBe(
    'LEVEL was kept to service web. This one goes to all services.',
  )
  const own = fields({ scope: 'web', environments: ['staging'] })
  expect(reachDoubt({ fields: own, others: [entry({ environments: ['production'] })] })).toBe(
    undefined,
  )
  expect(
    reachDoubt({
      fields: fields({ scope: 'web' }),
      others: [entry({ environments: ['production'] })],
    }),
  ).toBe('LEVEL was kept to service web in production. This one goes to service web.')
})
