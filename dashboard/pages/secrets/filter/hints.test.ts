import { expect, it } from 'vitest'
import type { Secret, Stagelet } from '../../../../src/generated/rest-types.ts'
import { hintsFor } from './hints.ts'
import { createMatrix } from '../../project/matrix.ts'
import { createSetIndex, entriesOf } from '../../project/set-index.ts'

const secret = (part: Partial<Secret>): Secret =>
  ({
    id: 'sec_1',
    name: 'a',
    key: 'A',
    scope: 'global',
    type: 'env',
    version: 1,
    refers_to: [],
    warnings: [],
    ...part,
  }) as unknown as Secret

const prod = {
  name: 'prod',
  conditions: [],
  paused: false,
  services: [
    { name: 'web', in_sync: true, compose_keys: ['A'] },
    { name: 'worker', in_sync: true },
  ],
} as unknown as Stagelet

const hints = (secret: Secret): unknown =>
  hintsFor(
    secret,
    createMatrix(createSetIndex({ entries: entriesOf([secret]) }), [prod], () => undefined),
  )

it('proposes the services that the Compose file names, where these are fewer', () => {
  expect(hints(secret({}))).toEqual([{ kind: 'narrow', seenBy: 2, services: ['web'] }])
  expect(hints(secret({ key: 'B' }))).toEqual([])
  expect(hints(secret({ scope: 'web' }))).toEqual([])
})

it('says what nobody sees, and why', () => {
  expect(hints(secret({ stagelet: 'gone' }))).toEqual([{ kind: 'unseen' }])
  expect(hints(secret({ scope: 'wbe', warnings: ['unknown_scope'] }))).toEqual([
    { kind: 'noService', scope: 'wbe', near: 'web' },
  ])
  expect(hints(secret({ scope: 'other', warnings: ['unknown_scope'] }))).toEqual([
    { kind: 'noService', scope: 'other' },
  ])
  expect(hints(secret({ version: 0 }))).toEqual([])
})
