import { expect, it } from 'vitest'
import { forms } from '../../../src/generated/forms.ts'
import {
  draftOf,
  faultsByField,
  givenOf,
  textLines,
  formManifest,
  numberOr,
  fieldPlaces,
  objectOf,
  restPatchOf,
  valueOf,
  withChosen,
  withField,
} from './values.ts'

const { Notifier, Stagelet, Rotation, SecretStore } = forms
const fieldOf = (form: typeof Notifier, name: string) =>
  form.fields.find((field) => field.name === name)!

it('has the fields of each kind, with the choice of one and what a name refers to', () => {
  expect(Notifier.oneOf).toEqual([
    ...['webhook', 'slack', 'discord', 'teams', 'telegram', 'ntfy', 'email'],
  ])
  expect(SecretStore.oneOf).toContain('vault')
  expect(fieldOf(SecretStore, 'auth').form?.oneOf).toEqual(['secret', 'identity'])
  const { form: rotator } = fieldOf(Rotation, 'rotator')
  expect(rotator?.oneOf).toContain('postgres')
  expect(fieldOf(rotator!, 'postgres').form?.oneOf).toEqual(['in', 'at'])
  expect(fieldOf(Rotation, 'outputs')).toMatchObject({ type: 'map', refersTo: 'StagelySecret' })
  expect(fieldOf(Stagelet, 'agent')).toMatchObject({ required: true, refersTo: 'Agent' })
  expect(fieldOf(Stagelet, 'deletion_policy')).toMatchObject({ usual: 'Retain' })
})

const stack = {
  project: 'shop',
  agent: 'box',
  compose: { directory: '/srv/shop', project_name: 'shop', files: ['a.yaml'] },
}
const manifest = {
  projectRef: { name: 'shop' },
  agentRef: { name: 'box' },
  compose: { directory: '/srv/shop', projectName: 'shop', files: ['a.yaml'] },
}

it('makes a manifest of what is given, and what is given of a manifest', () => {
  expect(formManifest(Stagelet, stack)).toEqual(manifest)
  expect(valueOf(Stagelet, manifest)).toEqual({ value: stack, faults: [] })
})

it('names each field of a manifest that the form does not know', () => {
  const { faults } = valueOf(Stagelet, {
    ...manifest,
    replicas: 2,
    compose: { ...manifest.compose, folder: '/srv' },
  })
  expect(faults.map(({ field }) => field)).toEqual(['spec.replicas', 'spec.compose.folder'])
})

it('names what a manifest says and a form cannot keep, all at once', () => {
  const { faults } = draftOf(
    'Stagelet',
    Stagelet,
    {
      apiVersion: 'v1',
      kind: 'Stagelet',
      metadata: { name: 'shop', namespace: 'default', labels: { a: 'b' }, annotations: {} },
      status: {},
      spec: {
        ...manifest,
        projectRef: { name: 'shop', namespace: 'other' },
        agentRef: 'box',
        compose: 'compose.yaml',
      },
    },
    { team: 'default', name: 'shop' },
  )
  expect(faults.map(({ field, message }) => `${field}: ${message}`)).toEqual([
    'apiVersion: must be stagely.dev/v1alpha1',
    'status: no such field: mend its name, or take it out',
    'metadata.labels: cannot be set by a form: take it out, and set it with kubectl',
    'metadata.annotations: cannot be set by a form: take it out, and set it with kubectl',
    'spec.projectRef.namespace: no such field: mend its name, or take it out',
    'spec.agentRef: must be a map with name',
    'spec.compose: must be a map of fields',
  ])
})

it('refuses a manifest whose parts are no maps, or whose name is no text', () => {
  const fieldsOf = (given: unknown) =>
    draftOf('Stagelet', Stagelet, given).faults.map(({ field }) => field)
  const whole = objectOf('Stagelet', Stagelet, { team: 'default', name: 'shop', value: stack })
  expect(fieldsOf(whole)).toEqual([])
  expect(fieldsOf({ ...whole, spec: ['a'] })).toEqual(['spec'])
  expect(fieldsOf({ ...whole, metadata: { name: 7, namespace: 'default' } })).toEqual([
    'metadata.name',
  ])
  expect(fieldsOf('shop')).toEqual(['apiVersion', 'kind', 'metadata', 'spec'])
})

it('sends a map and a list to REST whole, of a group only what differs', () => {
  const before = {
    outputs: { user: 'DB_USER', password: 'DB_PASSWORD' },
    rotator: { postgres: { database: 'shop', owner: 'shop', roles: ['a', 'b'], adopt: 'old' } },
  }
  const { postgres } = before.rotator
  const outputs = { user: 'DB_USER', password: 'DB_PASS' }
  expect(restPatchOf(Rotation, before, before)).toEqual({})
  expect(restPatchOf(Rotation, before, { ...before, outputs })).toEqual({ outputs })
  const fewer = { user: 'DB_USER' }
  expect(restPatchOf(Rotation, before, { ...before, outputs: fewer })).toEqual({ outputs: fewer })
  const { adopt: _, ...kept } = postgres
  const rotator = { postgres: { ...kept, roles: ['a', 'c'] } }
  expect(restPatchOf(Rotation, before, { ...before, rotator })).toEqual({
    rotator: { postgres: { roles: ['a', 'c'], adopt: null } },
  })
})

it('sends the usual value of a field that goes back to it', () => {
  const before = { deletion_policy: 'Down', paused: true }
  expect(restPatchOf(Stagelet, before, {})).toEqual({ deletion_policy: 'Retain', paused: null })
  const rollout = { max_concurrent: 2, progress_deadline_seconds: 60 }
  expect(restPatchOf(forms.Project, { rollout }, { rollout: { max_concurrent: 2 } })).toEqual({
    rollout: { progress_deadline_seconds: 600 },
  })
})

it('takes of an object what a form can change', () => {
  expect(givenOf(Stagelet, { ...stack, id: 'stg_1', running_revision: 4 })).toEqual(stack)
})

it('drops a group that has nothing left, and keeps one whose presence is a choice', () => {
  const { form: rotator } = fieldOf(Rotation, 'rotator')
  expect(withField(Stagelet, stack, fieldOf(Stagelet, 'paused'), undefined)).toEqual(stack)
  expect(withField(SecretStore, { push: { sqs: {} } }, fieldOf(SecretStore, 'push'), {})).toEqual(
    {},
  )
  expect(
    withField(rotator!, { generate: { length: 20 } }, fieldOf(rotator!, 'generate'), {}),
  ).toEqual({ generate: {} })
})

it('gives exactly one of a choice', () => {
  const value = { reasons: ['Expired'], webhook: { url: 'https://h' } }
  expect(withChosen(Notifier, value, 'email')).toEqual({ reasons: ['Expired'], email: {} })
  expect(withChosen(Notifier, value, '')).toEqual({ reasons: ['Expired'] })
})

it('shows each fault at the nearest field, and the rest above all', () => {
  const faults = [
    { field: 'webhook.url', message: 'must be a URL' },
    { field: 'reasons[2]', message: 'unknown' },
    { field: 'webhooks', message: 'no such field' },
    { field: 'spec', message: 'give exactly one' },
  ]
  expect([...faultsByField(['name', 'team', ...fieldPlaces(Notifier)], faults)]).toEqual([
    ['webhook.url', ['must be a URL']],
    ['reasons', ['[2]: unknown']],
    ['', ['webhooks: no such field', 'spec: give exactly one']],
  ])
})

it('reads numbers and lines, and leaves what is no number to the controller', () => {
  expect([numberOr(' 12 '), numberOr(''), numberOr('x')]).toEqual([12, undefined, 'x'])
  expect([textLines('a\n b \n\n'), textLines(' \n')]).toEqual([['a', 'b'], undefined])
})
