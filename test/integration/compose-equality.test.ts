// What the agent makes of a container is what Compose itself makes of it: field by field.
import { describe, expect, it } from 'vitest'
import { compareStack } from '../support/compared.ts'
import { newerCompose } from '../support/newer-compose.ts'
import { peopleStacks } from '../support/people-stacks.ts'

/** The two strangest; the long form tries all, and other people's. */
const tried = peopleStacks.filter(({ name }) => ['suite', 'appliance'].includes(name))

const versions: [version: string, binary: () => Promise<string | undefined>][] = [
  ['this machine’s Compose', () => Promise.resolve(undefined)],
  ['a newer Compose', newerCompose],
]

describe.each(versions)('by %s', (_version, binaryOf) => {
  it.concurrent.each(tried)(
    'a stack like a $name is adopted and rotated into what Compose would make of it',
    async (stack) => {
      const { containers, ...found } = await compareStack(stack, await binaryOf())
      expect(found).toEqual({ differences: [], wouldChange: [], pendingEdits: [], ranAgain: [] })
      expect(containers).toBeGreaterThan(4)
    },
  )
})
