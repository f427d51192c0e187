import { expect, it } from 'vitest'
import type { Secret } from '../../../src/generated/rest-types.ts'
import { classesOf } from './classes.ts'

const secret = (id: string, scope: string, stagelet?: string): Secret =>
  ({ id, key: 'STRIPE', scope, ...(stagelet === undefined ? {} : { stagelet }) }) as Secret

it('gives A to the value of the widest place, and names who else has a value', () => {
  const all = [
    secret('s1', 'global', 'preview'),
    secret('s2', 'global'),
    secret('s3', 'web', 'prod'),
    secret('s4', 'global', 'staging'),
  ]
  const classes = [['s1'], ['s2', 's4'], ['s3', 'unknown']]
  const found = classesOf(
    [{ key: 'STRIPE', classes }],
    new Map(all.map((secret) => [secret.id, secret])),
  )
  expect([...found].map(([id, { letter }]) => [id, letter]).sort()).toEqual([
    ['s1', 'B'],
    ['s2', 'A'],
    ['s3', 'C'],
    ['s4', 'A'],
  ])
  expect(found.get('s4')?.same.map(({ id }) => id)).toEqual(['s2'])
  expect(found.get('s4')?.others.map(({ id }) => id)).toEqual(['s1', 's3'])
  expect(found.get('s3')?.same).toEqual([])
})

it('gives no letter to a value with references: what is compared of it is not what containers hold', () => {
  const all = [
    secret('s1', 'global'),
    secret('s2', 'web'),
    { ...secret('s3', 'db'), references: true },
  ]
  const byId = new Map(all.map((secret) => [secret.id, secret]))
  const found = classesOf([{ key: 'STRIPE', classes: [['s1'], ['s2'], ['s3']] }], byId)
  expect([...found].map(([id, { letter }]) => [id, letter])).toEqual([
    ['s1', 'A'],
    ['s2', 'B'],
  ])
  expect(found.get('s1')?.others.map(({ id }) => id)).toEqual(['s2'])
  // One that is left is alone.
  expect(classesOf([{ key: 'STRIPE', classes: [['s1'], ['s3']] }], byId).size).toBe(0)
})
