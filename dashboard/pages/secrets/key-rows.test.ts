import { expect, it } from 'vitest'
import { environmentRows } from '../../../src/secrets/environment-rows.ts'
import type { Secret, Stagelet } from '../../../src/generated/rest-types.ts'
import { asSecret } from '../project/data.ts'
import { environmentKeyRows, keyRows } from './key-rows.ts'
import { layoutIn } from '../project/layout.ts'
import { servicesIn } from './places/environment-columns.tsx'
import { createMatrix } from '../project/matrix.ts'
import { createSetIndex, entriesOf } from '../project/set-index.ts'

const place = { team: 'default', project: 'shop' }

const secret = (id: string, key: string, scope: string, environments?: string[]): Secret => ({
  ...asSecret({ id: 0, op: 'create', key, scope, type: 'env' }, place),
  id,
  name: id,
  version: 1,
  ...(environments !== undefined && { environments }),
})

const edit = { id: 1, op: 'update', key: 'A', scope: 'web', type: 'env' } as const

const secrets = [
  secret('all', 'A', 'web'),
  secret('live', 'A', 'web', ['production']),
  secret('rest', 'A', 'global'),
]
const environments = [{ name: 'production' }, { name: 'preview' }]

it('makes one row for each key, with all that is staged under it', () => {
  const rows = secrets.map((stored, index) => ({
    secret: stored,
    edit: index === 0 ? edit : undefined,
  }))
  expect(keyRows(rows, () => true)).toEqual([{ id: 'A', key: 'A', edits: [edit], isStaged: true }])
  expect(keyRows(rows, (_, edits) => edits.length > 1)).toEqual([])
})

it('makes one row for each key of a scope that the filter lets through, judged with all secrets', () => {
  const found = environmentRows(entriesOf(secrets), environments)
  const [row, ...others] = environmentKeyRows([{ secret: secrets[1]! }], found)
  expect(others).toEqual([])
  expect(row).toMatchObject({ key: 'A', scope: 'web', edits: [] })
  expect([...row!.environments].map(([name, { secretId }]) => [name, secretId])).toEqual([
    ['production', 'live'],
    ['preview', 'all'],
  ])
})

it('counts in an environment the services of its stagelets that see just this secret', () => {
  const service = (name: string) => ({ name, state: 'running', in_sync: true })
  const stagelets = ['production', 'preview'].map((environment) => ({
    ...place,
    name: `shop-${environment}`,
    environment,
    services: [service('web'), service('api')],
  })) as unknown as Stagelet[]
  const head = createSetIndex({
    entries: entriesOf(secrets),
    layout: layoutIn(place, [], stagelets),
  })
  const matrix = createMatrix(head, stagelets, () => undefined)
  const rows = environmentKeyRows(
    secrets.map((stored) => ({ secret: stored })),
    environmentRows(entriesOf(secrets), environments),
  )
  const shown = rows.map((row) =>
    environments.map(({ name }) =>
      servicesIn(matrix, row, name).map(({ stagelet, service: of }) => `${stagelet}/${of}`),
    ),
  )
  expect(rows.map(({ scope }) => scope)).toEqual(['global', 'web'])
  expect(shown).toEqual([
    [['shop-production/api'], ['shop-preview/api']],
    [['shop-production/web'], ['shop-preview/web']],
  ])
})
