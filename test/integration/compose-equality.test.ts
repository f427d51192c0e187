// What the agent makes of a container is what Compose itself makes of it: field by field.
import { describe, expect, it } from 'vitest'
import { compareStack } from '../support/compared.ts'
import { newerCompose } from '../support/docker/newer-compose.ts'
import { peopleStacks, type PeopleStack } from '../support/docker/people-stacks.ts'
import { soak } from '../support/soak.ts'

/** The two strangest. One Compose tries each, and in the long form both. */
const tried = ['suite', 'appliance']
const triedBy = (name: string): PeopleStack[] =>
  peopleStacks.filter((one) => (soak(0, 1) === 1 ? tried : [name]).includes(one.name))

const versions: [version: string, binary: () => Promise<string | undefined>, PeopleStack[]][] = [
  ['this machine’s Compose', () => Promise.resolve(undefined), triedBy('appliance')],
  ['a newer Compose', newerCompose, triedBy('suite')],
]

describe.each(versions)('by %s', (_version, binaryOf, stacks) => {
  it.concurrent.each(stacks)(
    'a stack like a $name is adopted and rotated into what Compose would make of it',
    async (stack) => {
      const { containers, ...found } = await compareStack(stack, await binaryOf())
      expect(found).toEqual({ differences: [], wouldChange: [], pendingEdits: [], ranAgain: [] })
      expect(containers).toBeGreaterThan(4)
    },
  )
})
