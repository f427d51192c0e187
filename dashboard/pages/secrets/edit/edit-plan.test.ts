import { expect, it } from 'vitest'
import type { SecretRow } from '../../project/data.ts'
import { editFault, nowhereElse, placesOf, planEdit, type EditInput } from './edit-plan.ts'

const row = (key: string, scope: string, stagelet?: string): SecretRow =>
  ({
    id: `sec_${key}_${scope}`,
    secret: {
      id: `sec_${key}_${scope}`,
      name: key,
      key,
      scope,
      type: 'env',
      version: 3,
      ...(stagelet === undefined ? {} : { stagelet }),
    },
  }) as SecretRow

const input = (part: Partial<EditInput> & { at?: [string, string] }): EditInput => {
  const [scope, stagelet] = part.at ?? ['web', '']
  return {
    fields: { key: 'A', scope, stagelet, type: 'env', path: '', visibility: 'Masked' },
    more: nowhereElse,
    edited: undefined,
    rows: [],
    bytes: 4,
    ...part,
  }
}

it('stages each chosen scope in each chosen stagelet, the asked one first', () => {
  const more = { scopes: ['backend', 'web'], stagelets: ['prod'] }
  expect(placesOf({ scope: 'web', stagelet: 'test' }, more)).toEqual([
    { scope: 'web', stagelet: 'test' },
    { scope: 'backend', stagelet: 'test' },
    { scope: 'web', stagelet: 'prod' },
    { scope: 'backend', stagelet: 'prod' },
  ])
  const rows = [row('A', 'backend')]
  const planned = planEdit(input({ rows, more: { scopes: ['backend'], stagelets: [] } }))
  expect(planned.map(({ edit: { op, scope, secretId } }) => [op, scope, secretId])).toEqual([
    ['create', 'web', undefined],
    ['update', 'backend', 'sec_A_backend'],
  ])
})

it('changes the staged edit of a secret that is only staged, wherever it goes', () => {
  const staged = { id: 7, op: 'create', key: 'A', scope: 'global', type: 'env', bytes: 4 } as const
  const edited = { ...row('A', 'global'), edit: staged }
  const only = { ...edited, secret: { ...edited.secret, name: '' } }
  expect(planEdit(input({ edited: only, rows: [only], bytes: undefined }))).toMatchObject([
    { edit: { op: 'create', scope: 'web' }, replaces: 7 },
  ])
  const rows = [only, row('A', 'web')]
  expect(planEdit(input({ edited: only, rows }))).toMatchObject([
    { edit: { op: 'update', secretId: 'sec_A_web' }, replaces: 7 },
  ])
})

it('moves a stored secret, and says what is wrong', () => {
  const edited = row('A', 'web')
  const rows = [edited, row('A', 'backend')]
  const edit = input({ edited, rows, at: ['web', 'prod'], bytes: undefined })
  expect(editFault(edit)).toBeUndefined()
  expect(planEdit(edit)).toMatchObject([{ edit: { op: 'update', target: { stagelet: 'prod' } } }])
  expect(editFault(input({ edited, rows, bytes: undefined }))).toMatch(/No changes/)
  expect(editFault(input({ edited, rows, at: ['backend', ''] }))).toMatch(
    /already has a secret in this place/,
  )
  expect(
    editFault(
      input({ edited, rows, bytes: undefined, more: { scopes: ['global'], stagelets: [] } }),
    ),
  ).toMatch(/A new value is needed/)
  expect(editFault(input({ bytes: undefined }))).toMatch(/needs a value/)
})

it('finds a secret of environments by exactly these, and never that of another place', () => {
  const inProduction = row('A', 'web')
  const rows = [
    { ...inProduction, secret: { ...inProduction.secret, environments: ['production'] } },
  ]
  expect(planEdit(input({ rows }))).toMatchObject([{ edit: { op: 'create' } }])
  const edited = rows[0]!
  const fields = {
    key: 'A',
    scope: 'web',
    stagelet: '',
    type: 'env',
    path: '',
    visibility: 'Masked',
  } as const
  const kept = { ...input({ edited, rows }), fields: { ...fields, environments: ['production'] } }
  expect(planEdit(kept)).toMatchObject([{ edit: { op: 'update', secretId: edited.secret.id } }])
  const moved = { ...kept, fields: { ...kept.fields, stagelet: 'prod' } }
  expect(planEdit(moved)).toMatchObject([
    { edit: { target: { stagelet: 'prod' }, fields: { environments: null } } },
  ])
  const elsewhere = { ...kept, fields: { ...fields, environments: ['preview'] } }
  expect(planEdit(elsewhere)).toMatchObject([{ edit: { fields: { environments: ['preview'] } } }])
  const everywhere = { ...kept, fields }
  expect(planEdit(everywhere)).toMatchObject([{ edit: { fields: { environments: null } } }])
})

it('changes the visibility alone, and makes a new secret plain where that is chosen', () => {
  const edited = row('A', 'web')
  const plain = { key: 'A', scope: 'web', stagelet: '', type: 'env', path: '', visibility: 'Plain' }
  const change = { ...input({ edited, rows: [edited], bytes: undefined }), fields: plain as never }
  expect(editFault(change)).toBeUndefined()
  expect(planEdit(change)).toMatchObject([
    { edit: { op: 'update', bytes: undefined, fields: { visibility: 'Plain' } } },
  ])
  const shown = { ...edited, secret: { ...edited.secret, visibility: 'Plain' as const } }
  expect(editFault({ ...change, edited: shown })).toMatch(/No changes/)
  expect(planEdit(input({ edited: shown, rows: [shown] }))).toMatchObject([
    { edit: { fields: { visibility: 'Masked' } } },
  ])
  expect(planEdit({ ...input({}), fields: plain as never })).toMatchObject([
    { edit: { op: 'create', fields: { visibility: 'Plain' } } },
  ])
  expect(planEdit(input({}))[0]?.edit).not.toHaveProperty('fields')
})
