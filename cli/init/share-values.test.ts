import { expect, it } from 'vitest'
import type { ComposeProject } from './compose-project.ts'
import type { FoundSecret } from './found-secret.ts'
import { shareValues } from './share-values.ts'

const project: Pick<ComposeProject, 'services' | 'variables'> = {
  services: [],
  variables: new Map([['DB_PASSWORD', 'hunter2hunter2']]),
}

const url = (scope: string, tail = 'shop'): FoundSecret => ({
  ...{ key: 'DATABASE_URL', scope, from: 'environment: ${DB_PASSWORD}' },
  value: `postgres://app:hunter2hunter2@db/${tail}`,
  written: `postgres://app:\${DB_PASSWORD}@db/${tail}`,
})

const shared = (found: FoundSecret[]): string[] =>
  shareValues(project as ComposeProject, found).map(
    ({ scope, key, value }) => `${scope}/${key} ${value}`,
  )

it('keeps a URL with a password once, where no secret holds the password itself', () => {
  expect(shared([url('migrate'), url('api'), url('report', 'other')])).toEqual([
    'migrate/DATABASE_URL ${api/DATABASE_URL}',
    'api/DATABASE_URL postgres://app:hunter2hunter2@db/shop',
    'report/DATABASE_URL postgres://app:hunter2hunter2@db/other',
  ])
  // Every service sees a global one already.
  expect(shared([url('global'), url('api')])).toEqual([
    'global/DATABASE_URL postgres://app:hunter2hunter2@db/shop',
  ])
  const password: FoundSecret = {
    ...{ key: 'POSTGRES_PASSWORD', scope: 'db', value: 'hunter2hunter2' },
    ...{ from: 'environment: ${DB_PASSWORD}', source: 'variable DB_PASSWORD' },
  }
  const template = 'postgres://app:${db/POSTGRES_PASSWORD}@db/shop'
  expect(shared([password, url('migrate'), url('api')]).slice(1)).toEqual([
    `migrate/DATABASE_URL ${template}`,
    `api/DATABASE_URL ${template}`,
  ])
})
