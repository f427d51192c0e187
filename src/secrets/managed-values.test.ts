import { expect, it } from 'vitest'
import { kindsOfLines, plainAmong, staysInFile } from './managed-values.ts'

const lines = Object.entries({
  COMPOSE_PROJECT_NAME: 'shop',
  COMPOSE_PROFILES: 'web',
  IMAGE_TAG: '1.2',
  WEB_PORT: '8080',
  LOG_LEVEL: 'debug',
  DB_PASSWORD: 'a-long-password',
  DB_URL: 'host=db key=a-long-password',
  API_TOKEN: 'short',
  NOTE: 'a short one',
}).map(([key, value]) => ({ key, value }))

it('tells settings of Compose, plain configuration and secrets apart', () => {
  const kinds = kindsOfLines(lines)
  expect(Object.fromEntries(lines.map(({ key }, index) => [key, kinds[index]]))).toEqual({
    COMPOSE_PROJECT_NAME: 'Steers',
    COMPOSE_PROFILES: 'Steers',
    IMAGE_TAG: 'Steers',
    WEB_PORT: 'Steers',
    LOG_LEVEL: 'Plain',
    DB_PASSWORD: 'Secret',
    // It holds the password.
    DB_URL: 'Secret',
    API_TOKEN: 'Secret',
    // A value that is too short to be masked is looked for in no other one.
    NOTE: 'Plain',
  })
})

it('takes what is no text for a secret', () => {
  expect(kindsOfLines([{ key: 'BYTES', value: undefined }])).toEqual(['Secret'])
  expect(plainAmong([{ key: 'BYTES', value: undefined }]).size).toBe(0)
})

it('leaves in the file what needs no management, unless somebody says whose it is, or it is stored', () => {
  const at = (isPlaceSaid: boolean, isStored: boolean) =>
    (['Steers', 'Plain', 'Secret'] as const).filter((kind) =>
      staysInFile(kind, { isPlaceSaid, isStored }),
    )
  expect(at(false, false)).toEqual(['Steers', 'Plain'])
  expect(at(false, true)).toEqual(['Steers'])
  expect(at(true, false)).toEqual([])
})

it('takes users, hosts, folders and the hosts of URLs for plain, also where they have the text of a password', () => {
  const found = Object.entries({
    DB_PASSWORD: 'postgres',
    DB_USERNAME: 'postgres',
    DB_HOSTNAME: 'the_postgres',
    DB_DATA_LOCATION: './postgres',
    METRICS_URL: 'http://postgres:9187',
    HOOK_URL: 'https://example.com/postgres',
    OPTIONS: 'password-file postgres',
  }).map(([key, value]) => ({ key, value }))
  expect([...plainAmong(found)].map(({ key }) => key)).toEqual([
    'DB_USERNAME',
    'DB_HOSTNAME',
    'DB_DATA_LOCATION',
    'METRICS_URL',
  ])
})

it('takes a text that is a password for one, also where it looks like a path', () => {
  const found = Object.entries({ DB_PASSWORD: '/hunter2', COPY: '/hunter2', HOME: '/srv/hunter2' })
  const plain = plainAmong(found.map(([key, value]) => ({ key, value })))
  expect([...plain].map(({ key }) => key)).toEqual(['HOME'])
})
