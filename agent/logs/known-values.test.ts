import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { aDesired } from '../../test/support/builders.ts'
import { held } from '../../test/support/held.ts'
import { createStackTarget, type OpenedSecret, type StackTarget } from '../state/stack-target.ts'
import { createKnownValues } from './known-values.ts'

const perRollout = 4

/** A set with other values each time, each a piece of a larger buffer, as Node cuts them. */
const newSet = (): OpenedSecret[] =>
  Array.from({ length: perRollout }, (_, i) => {
    const value = randomBytes(24).toString('hex')
    const slab = Buffer.alloc(8_192)
    slab.write(value)
    return { ...held(`KEY_${i}`, value), value: slab.subarray(0, value.length) }
  })

const bytesHeld = (values: Iterable<Buffer>): number =>
  [...new Set([...values].map((value) => value.buffer))].reduce((sum, b) => sum + b.byteLength, 0)

it('what is held of old values is the same after 500 rollouts and after 1,000, and each takes no more than its own bytes', () => {
  const values = createKnownValues()
  const rollOut = (times: number): number => {
    for (let n = 0; n < times; n++) values.learn(newSet())
    return bytesHeld(values.values().map(({ value }) => value))
  }
  expect(rollOut(1)).toBe(perRollout * 48)
  const half = rollOut(499)
  expect(rollOut(500)).toBe(half)
  expect(half).toBeLessThan(100_000)
})

it('so it is of a stack that none of 1,000 rollouts has settled', () => {
  let target: StackTarget | undefined
  const rollOut = (times: number): number => {
    for (let n = 0; n < times; n++)
      target = createStackTarget(
        { desired: aDesired({}), entries: newSet(), base: {} },
        target,
        false,
      )
    return target?.values.size ?? 0
  }
  const half = rollOut(500)
  expect(rollOut(500)).toBe(half)
})

it('values of the rollouts before are hidden still', () => {
  const values = createKnownValues()
  const sets = Array.from({ length: 100 }, newSet)
  for (const entries of sets) values.learn(entries)
  const text = sets.flat().map(({ value }) => value.toString()).join(' ') // prettier-ignore
  expect(values.masker().mask(text)).not.toMatch(/[0-9a-f]{8}/)
})

it('a plain value is not hidden, and from the set that makes it masked on it is', () => {
  const values = createKnownValues()
  const level = held('LEVEL', 'a-plain-level')
  const plain = { ...level, plain: true as const }
  const shown = (): string => values.masker().mask('level a-plain-level')
  values.learn([plain, held('KEY', 'a-masked-key')])
  expect(shown()).toBe('level a-plain-level')
  expect(values.values().map(({ key }) => key)).toEqual(['KEY'])
  values.learn([level], [plain])
  expect(shown()).not.toContain('a-plain-level')
  // A set to go back to was masked: the newest one decides.
  values.learn([plain], [level])
  expect(shown()).toBe('level a-plain-level')
  // Another secret of the set has the same value, and is masked.
  values.learn([plain, { ...level, secretId: 'other' }])
  expect(shown()).not.toContain('a-plain-level')
})

it('so it is in the texts of a stack', () => {
  const target = (entries: OpenedSecret[], before?: StackTarget): StackTarget =>
    createStackTarget({ desired: aDesired({}), entries, base: {} }, before, false)
  const level = held('LEVEL', 'a-plain-level')
  const masked = target([level])
  const plain = target([{ ...level, plain: true }, held('KEY', 'a-masked-key')], masked)
  expect(plain.mask('a-plain-level a-masked-key')).toBe('a-plain-level ***REDACTED***')
  expect(target([level], plain).mask('a-plain-level')).toBe('***REDACTED***')
})
