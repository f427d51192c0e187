import { expect, it } from 'vitest'
import type { ComposeProject } from './compose-project.ts'
import { variableSource, type FoundSecret } from './found-secret.ts'
import { shareValues } from './share-values.ts'

type Services = ComposeProject['services']

const service = (name: string, image: string, dependsOn: string[] = []): Services[number] => ({
  name,
  image,
  hosts: [name],
  dependsOn,
  enabled: true,
  environment: new Map<string, string>(),
  written: new Map<string, string>(),
  envFileEntries: [],
  texts: [],
  sharesWith: [],
  restartsAfter: [],
})

const url = (scope: string, tail = 'shop'): FoundSecret => ({
  key: 'DATABASE_URL',
  scope,
  from: 'environment: ${DB_PASSWORD}',
  value: `postgres://app:hunter2hunter2@db/${tail}`,
  parts: [
    { text: 'postgres://app:' },
    { text: 'hunter2hunter2', variable: 'DB_PASSWORD' },
    { text: `@db/${tail}` },
  ],
})

const shared = (found: FoundSecret[], services: Services = []): string[] =>
  shareValues({ services }, found).secrets.map(
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
    key: 'POSTGRES_PASSWORD',
    scope: 'db',
    value: 'hunter2hunter2',
    from: 'environment: ${DB_PASSWORD}',
    source: variableSource('DB_PASSWORD', 'hunter2hunter2'),
  }
  const template = 'postgres://app:${db/POSTGRES_PASSWORD}@db/shop'
  expect(shared([password, url('migrate'), url('api')]).slice(1)).toEqual([
    `migrate/DATABASE_URL ${template}`,
    `api/DATABASE_URL ${template}`,
  ])
})

const text = (scope: string, key: string, variable?: string): FoundSecret => ({
  key,
  scope,
  value: 'twelve-chars',
  from: '',
  ...(variable !== undefined && { source: variableSource(variable, 'twelve-chars') }),
})

it('keeps a value with a database, then with the service that its key is named after, then with whom most depend on', () => {
  const services = [
    service('api', 'api', ['store', 'cache']),
    service('cache', 'docker.io/library/redis:7-alpine'),
    service('store', 'acme/store', []),
    service('web', 'web', ['api', 'store']),
  ]
  const own = (found: FoundSecret[]): string[] =>
    shared(found, services).filter((line) => line.endsWith('twelve-chars'))
  expect(own([text('api', 'REDIS_PASSWORD'), text('cache', 'REDISCLI_AUTH')])).toEqual([
    'cache/REDISCLI_AUTH twelve-chars',
  ])
  expect(own([text('web', 'WEB_DB_PASSWORD'), text('store', 'MYSQL_PASSWORD')])).toEqual([
    'store/MYSQL_PASSWORD twelve-chars',
  ])
  expect(own([text('web', 'A_TOKEN'), text('store', 'B_TOKEN'), text('api', 'C_TOKEN')])).toEqual([
    'store/B_TOKEN twelve-chars',
  ])
})

it('takes two variables, and two keys of one service, for two secrets, though their texts are equal', () => {
  const apart = [
    text('db', 'POSTGRES_PASSWORD', 'POSTGRES_PW'),
    text('admin', 'ADMIN_PASSWORD', 'ADMIN_PW'),
  ]
  expect(shared(apart).every((line) => line.endsWith(' twelve-chars'))).toBe(true)
  const root = [text('db', 'MYSQL_PASSWORD'), text('db', 'MYSQL_ROOT_PASSWORD')]
  expect(shared(root).every((line) => line.endsWith(' twelve-chars'))).toBe(true)
})
