// What a container is given is one set, whole: never a file of one revision beside a file, or a variable,
// of another.
import { rm } from 'node:fs/promises'
import { expect } from 'vitest'
import { itAsRoot } from '../support/as-root.ts'
import type { OpenedSecret } from '../../agent/state/stack-target.ts'
import { desiredFor, held, heldFile, startMachine } from '../support/docker/docker.ts'
import { newFilesRoot } from '../support/files.ts'
import { createStack, onHost, testImage } from '../support/docker/stack.ts'

/** Notes each set that it sees; a bad one makes it fail after a few looks, before a gate would let it pass. */
const watch = [
  'trap "exit 0" TERM',
  'i=0',
  'last=',
  'while :; do',
  // Without processes, which would keep a processor busy.
  'one=; read -r one < /one',
  'two=; read -r two < /two',
  'now="$$one $$two $$VALUE"',
  '[ "$$now" = "$$last" ] || echo "$$now" >> /seen/sets',
  'last=$$now',
  'i=$$((i+1))',
  'case $$VALUE in bad*) [ $$i -lt 20 ] || exit 3;; esac',
  'usleep 1000',
  'done',
].join('\n      ')
const compose = `services:
  web:
    image: ${testImage}
${onHost('web')}    volumes: ["seen:/seen"]
    command:
    - sh
    - -c
    - |
      ${watch}
volumes: {seen: {}}
`
const setOf = (value: string): OpenedSecret[] => [
  heldFile('ONE', value, { target: '/one' }, 'web'),
  heldFile('TWO', value, { target: '/two' }, 'web'),
  held('VALUE', value, 'web'),
]

itAsRoot(
  'a container sees no mix of revisions, neither in a rollout nor in a rollback',
  async () => {
    const stack = await createStack(compose)
    const filesRoot = newFilesRoot()
    const machine = await startMachine(stack, { filesRoot })
    try {
      await machine.roll(setOf('first'))
      await machine.roll(setOf('second'))
      const bad = desiredFor(stack, { revision: 3, healthyRevision: 2 })
      machine.loop.setDesired(bad, setOf('bad'), setOf('second'))
      await machine.until((r) => r.phase === 'Settled' && r.rollout?.result === 'RolledBack')
      const { id } = (await stack.containers())['web']!
      const seen = async (): Promise<string[]> =>
        (await stack.docker('exec', id, 'cat', '/seen/sets')).trim().split('\n')
      await expect
        .poll(seen)
        .toEqual(['first', 'second', 'bad', 'second'].map((v) => `${v} ${v} ${v}`))
    } finally {
      await machine.stop()
      await stack.remove()
      await rm(filesRoot, { recursive: true, force: true })
    }
  },
)
