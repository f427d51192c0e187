import { expect, it } from 'vitest'
import { forms } from '../../../src/generated/forms.ts'
import type { Spec } from '../../actions/kinds.ts'
import { stackEffect } from './stack-effect.ts'
import { objectOf } from './values.ts'

const compose = { directory: '/srv/shop', project_name: 'shop', files: ['a.yaml'] }
const stack = { project: 'shop', agent: 'box', compose }
const manifest = (value: Spec): Spec =>
  objectOf('Stagelet', forms.Stagelet, { team: 'default', name: 'shop', value })

it.each([
  ['a pause', { paused: true }, undefined],
  ['another project', { project: 'other' }, undefined],
  ['other files', { compose: { ...compose, files: ['b.yaml'] } }, /anew. Services that differ/],
  [
    'other files that are deployed',
    { compose: { ...compose, files: ['b.yaml'], on_change: 'Deploy' } },
    /anew, and re-creates the services/,
  ],
  ['another machine', { agent: 'other' }, /^The stack moves: .* starts all of its services\.$/],
  ['another Compose project', { compose: { ...compose, project_name: 'b' } }, /starts no others/],
  [
    'a folder that may name the project',
    { compose: { directory: '/srv/b', files: ['a.yaml'] } },
    /^The agent then reads .* gets another name, its containers stay as they are/,
  ],
  [
    'another folder of the same project',
    { compose: { ...compose, directory: '/srv/b' } },
    /anew. Services that differ/,
  ],
] as const)('says what %s means for containers', (_, change, text) => {
  const effect = stackEffect(manifest(stack), manifest({ ...stack, ...change }))
  if (text === undefined) expect(effect).toBeUndefined()
  else expect(effect).toMatch(text)
})
