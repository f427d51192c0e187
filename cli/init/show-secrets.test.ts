import { expect, it } from 'vitest'
import type { ProposedSecret } from './found-secret.ts'
import { renderSecrets } from './show-secrets.ts'

const secret = (scope: string, key: string, refersTo?: string, value?: string): ProposedSecret => ({
  key,
  scope,
  value: value ?? (refersTo === undefined ? 'a value' : `\${${refersTo}}`),
  from: '.env',
  ...(refersTo !== undefined && { refersTo: [refersTo] }),
})

it('has one row for each value, however many services see it', () => {
  const url = 'postgres://${db/POSTGRES_PASSWORD}@db'
  const table = renderSecrets([
    secret('api', 'DATABASE_URL', 'db/POSTGRES_PASSWORD', url),
    secret('worker', 'DATABASE_URL', 'db/POSTGRES_PASSWORD', url),
    secret('api', 'OTP_SECRET', 'web/OTP_SECRET'),
    secret('web', 'OTP_SECRET'),
    secret('worker', 'OTP_SECRET', 'web/OTP_SECRET'),
    secret('db', 'POSTGRES_PASSWORD'),
    secret('web', 'DB_PASSWORD', 'db/POSTGRES_PASSWORD'),
  ])
  expect(table.split('\n')).toEqual([
    'KEY                 SCOPE         PLAIN   FROM   REFERS TO              FOLLOWED BY',
    'DATABASE_URL        api, worker           .env   db/POSTGRES_PASSWORD',
    'OTP_SECRET          web                   .env                          api, worker',
    'POSTGRES_PASSWORD   db                    .env                          DB_PASSWORD of web',
  ])
  expect(renderSecrets([secret('web', 'OTP_SECRET')])).not.toContain('FOLLOWED')
})
