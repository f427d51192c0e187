// A random value that services share. Two are valid at once since services know both, in `list`.
import type { RotationSpec } from '../../../src/kinds/rotation/schema.ts'
import { generateValue } from '../../../src/secrets/generate.ts'
import type { Credential, Rotator, RolloutStep } from './rotator.ts'

type GenerateRotator = NonNullable<RotationSpec['rotator']['generate']>

const listOf = (...values: readonly (string | undefined)[]): string =>
  JSON.stringify([...new Set(values.filter((value) => value !== undefined))])

const valuesAt = (
  step: RolloutStep,
  old: Credential | undefined,
  candidate: Credential,
): Credential['values'] => {
  const next = candidate.values['current'] ?? ''
  const before = old?.values['current']
  switch (step) {
    case 'Add':
      return {
        current: before ?? next,
        // Who checks with the pair must know the new value before somebody signs with it.
        previous: next,
        list: listOf(next, before),
      }
    case 'Switch':
      return { current: next, previous: before ?? next, list: listOf(next, before) }
    case 'Remove':
      return { current: next, previous: next, list: listOf(next) }
  }
}

export const openGenerate = (spec: GenerateRotator): Rotator => ({
  slots: [],
  outputs: ['current', 'previous', 'list'],
  valuesAt,
  make: async () => {
    const current = (await generateValue(spec)).toString('utf8')
    return { slot: undefined, values: { current } }
  },
  // Nothing outside knows the value: what services hold is all there is.
  preflight: () => Promise.resolve([]),
  checkAccepted: () => Promise.resolve('refused'),
  set: () => Promise.resolve(),
  test: () => Promise.resolve('accepted'),
  stillUsed: () => Promise.resolve({ sessions: undefined, from: [] }),
  revoke: () => Promise.resolve(),
  disable: () => Promise.resolve(),
})
