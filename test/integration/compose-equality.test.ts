// What the agent makes of a container is what Compose itself makes of it: field by field.
import { describe, expect, it } from 'vitest'
import { compareStack } from '../support/compared.ts'
import { newerCompose } from '../support/newer-compose.ts'
import { peopleStacks } from '../support/people-stacks.ts'
import { soak } from '../support/soak.ts'

/** The two strangest; the long form tries all, and other people's. */
const tried = peopleStacks.filter(({ name }) => ['suite', 'appliance'].includes(name))

const versions: [version: string, binary: () => Promise<string | undefined>, stacks: number][] = [
  ['this machine’s Compose', () => Promise.resolve(undefined), tried.length],
  ['a newer Compose', newerCompose, soak(1, tried.length)],
]

describe.each(versions)('by %s', (_version, binaryOf, stacks) => {
  it.concurrent.each(tried.slice(-stacks))(
    'a stack like a $name is adopted and rotated into what Compose would make of it',
    async (stack) => {
      const { containers, ...found } = await compareStack(stack, await binaryOf())
      expect(found).toEqual({ differences: [], wouldChange: [], pendingEdits: [], ranAgain: [] })
      expect(containers).toBeGreaterThan(4)
    },
  )
})
