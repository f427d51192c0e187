import { expect, it } from 'vitest'
import type { Project } from '../../../src/rest/types.ts'
import { patchOf } from '../../actions/kinds.ts'
import { fieldsOf, specOf } from './fields.ts'

const project: Project = {
  ...{ id: 'prj_1', name: 'shop', team: 'default', description: 'the shop', revision: 3 },
  ...{ secrets: 4, source: 'api', created_at: '', conditions: [] },
  rollout: { max_concurrent: 2, progress_deadline_seconds: 600, on_failure: 'Stop' },
  secret_policy: { max_age: '90d', exempt: ['PUBLIC_URL'], enforce: 'Refuse' },
}
const bare: Project = { ...project }
delete (bare as { rollout?: unknown }).rollout
delete (bare as { secret_policy?: unknown }).secret_policy

it('changes nothing where nothing is edited', () => {
  for (const one of [project, bare]) {
    const spec = specOf(one, fieldsOf(one))
    expect(spec).toMatchObject({ description: 'the shop' })
    expect(patchOf(specOf(one, fieldsOf(one)), spec)).toEqual({})
  }
  expect(specOf(project, fieldsOf(project))).toEqual({
    description: 'the shop',
    rollout: project.rollout,
    secret_policy: project.secret_policy,
  })
})

it('sends only what differs, and takes away a policy whose age is emptied', () => {
  const before = specOf(project, fieldsOf(project))
  const edited = { ...fieldsOf(project), maxAge: '', atOnce: '', deadline: '900' }
  expect(patchOf(before, specOf(project, edited))).toEqual({
    rollout: { max_concurrent: null, progress_deadline_seconds: 900 },
    secret_policy: null,
  })
})

it('gives a project its first policy, and lets the controller refuse what is no number', () => {
  const edited = {
    ...fieldsOf(bare),
    maxAge: '30d',
    exempt: 'A, B\nC',
    refuses: true,
    atOnce: 'x',
    keyEvery: '1d',
  }
  expect(patchOf(specOf(bare, fieldsOf(bare)), specOf(bare, edited))).toEqual({
    rollout: { max_concurrent: 'x' },
    key_rotation: { every: '1d' },
    secret_policy: { max_age: '30d', exempt: ['A', 'B', 'C'], enforce: 'Refuse' },
  })
})
