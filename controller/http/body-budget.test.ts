import { expect, it } from 'vitest'
import { createBodyBudget, type OpenBody } from './body-budget.ts'

const MiB = 1024 * 1024

const createOwners = () => {
  const bodies = createBodyBudget()
  const take = (owner: string, bytes: number): OpenBody => {
    const body = bodies.open(owner)
    body.take(bytes)
    return body
  }
  return { bodies, take }
}

it('lets nobody hold more than his part, and all together no more than all', () => {
  const { bodies, take } = createOwners()
  const first = take('a', 20 * MiB)
  expect(() => take('a', 5 * MiB)).toThrow('your requests hold too many bytes')
  for (const owner of ['b', 'c', 'd']) take(owner, 24 * MiB)
  expect(() => take('e', 5 * MiB)).toThrow('all requests together')
  expect(bodies.held).toBe(92 * MiB)
  first.close()
  first.close()
  expect(bodies.held).toBe(72 * MiB)
  take('e', 5 * MiB)
  take('a', 19 * MiB)
})

it('has room for who sends little where a few hold all the rest', () => {
  const { take } = createOwners()
  for (const owner of ['a', 'b', 'c', 'd']) take(owner, 24 * MiB)
  take('small', MiB / 8)
  expect(() => take('small', MiB / 4)).toThrow('all requests together')
  for (let i = 1; i < 128; i++) take(`small ${i}`, MiB / 8)
  expect(() => take('late', MiB / 8)).toThrow('all requests together')
})

it('lets few bodies of one owner come at once, and the next when one has come or is given up', () => {
  const { bodies } = createOwners()
  const [first, second] = [bodies.open('agent', { atOnce: 2 }), bodies.open('agent', { atOnce: 2 })]
  expect(() => bodies.open('agent', { atOnce: 2 })).toThrow('more than 2 of your requests')
  bodies.open('another', { atOnce: 2 })
  first.arrived()
  first.close()
  const third = bodies.open('agent', { atOnce: 2 })
  expect(() => bodies.open('agent', { atOnce: 2 })).toThrow('more than 2 of your requests')
  for (const body of [second, third]) body.close()
  expect(() => [
    bodies.open('agent', { atOnce: 2 }),
    bodies.open('agent', { atOnce: 2 }),
  ]).not.toThrow()
})

it('refuses nobody who has shown who he is because of strangers from many addresses', () => {
  const { bodies, take } = createOwners()
  const stranger = (address: string, bytes: number): void =>
    bodies.open(address, { isStranger: true }).take(bytes)
  const flood = (): void => {
    for (let i = 0; i < 10_000; i++) stranger(`2001:db8::${i}`, MiB / 16)
  }
  expect(flood).toThrow('all requests together')
  expect(bodies.held).toBe(16 * MiB)
  for (const owner of ['a', 'b', 'c', 'd']) take(owner, 24 * MiB)
  take('small', MiB / 4)
})
