// One stack made twice: by the agent, that adopts and rotates, and by Compose itself with the same override.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { renderOverride } from '../../src/compose/override.ts'
import { createStackTarget } from '../../agent/state/stack-target.ts'
import { overridesFor } from '../../agent/actions/prepare-overrides.ts'
import { composeAt } from './docker/compose-at.ts'
import { desiredFor, environmentFor, held, startMachine } from './docker/docker.ts'
import type { PeopleStack } from './docker/people-stacks.ts'
import { differences, type Inspected } from './docker/same-containers.ts'
import { createStack, type Stack } from './docker/stack.ts'

export interface Compared {
  readonly containers: number
  readonly differences: readonly string[]
  /** What Compose itself would change of what the agent has made. */
  readonly wouldChange: readonly string[]
  /** Services that the agent reports as edited, though nobody has edited anything. */
  readonly pendingEdits: readonly string[]
  /** Jobs that ran for a change of another service. */
  readonly ranAgain: readonly string[]
}

const inspectAll = async (stack: Stack): Promise<Inspected[]> => {
  const filter = `label=com.docker.compose.project=${stack.project}`
  const ids = (await stack.docker('ps', '-aq', '--filter', filter)).split('\n').filter(Boolean)
  return JSON.parse(await stack.docker('inspect', ...ids)) as Inspected[]
}

const writeFiles = async (stack: Stack, files: PeopleStack['files']): Promise<void> => {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(stack.directory, name)), { recursive: true })
    await writeFile(join(stack.directory, name), text)
  }
  await stack.keepTree()
}

const change = /DRY-RUN MODE -\s+Container (\S+)\s+(?:Recreate|Creating|Create)\s*$/gm

export const compareStack = async (
  { files, service }: PeopleStack,
  composeBinary?: string,
): Promise<Compared> => {
  const stack = await createStack(files['docker-compose.yml']!)
  const env = await environmentFor()
  const compose = await composeAt(composeBinary)
  const run = (verb: readonly string[], stdin?: Buffer, flags: readonly string[] = []) =>
    compose.run({
      flags: ['-p', stack.project, ...flags],
      verb,
      cwd: stack.directory,
      env,
      mask: (text) => text,
      ...(stdin === undefined ? {} : { stdin }),
    })
  try {
    await writeFiles(stack, files)
    await run(['up', '-d'])
    // Docker has made the folders that are mounted and were not there.
    await stack.keepTree()
    // Of dozens of services, beside others.
    const settleMs = 600_000
    const binary = composeBinary === undefined ? {} : { composeBinary }
    const machine = await startMachine(stack, { ...binary, settleMs })
    const common = held('STAGELY_COMMON', 'for-all')
    try {
      const first = await machine.roll([common, held('STAGELY_OWN', 'one', service)])
      const names = first.services.map((s) => s.name)
      const before = await inspectAll(stack)
      const entries = [common, held('STAGELY_OWN', 'two', service)]
      const last = await machine.roll(entries)
      const ours = await inspectAll(stack)
      const ended = before.filter((c) => (c['State'] as { Status: string }).Status === 'exited')
      const startOf = (c: Inspected | undefined): string | undefined =>
        (c?.['State'] as { StartedAt: string } | undefined)?.StartedAt
      const again = ended.filter(
        (c) =>
          c.Config.Labels['com.docker.compose.service'] !== service &&
          startOf(ours.find((o) => o.Id === c.Id)) !== startOf(c),
      )
      const desired = desiredFor(stack)
      const want = createStackTarget({ desired, entries, base: env }, undefined, false)
      const override = renderOverride(overridesFor(want, names))
      const fileFlags = Object.keys(files)
        .filter((f) => /^docker-compose.*yml$/.test(f))
        .flatMap((f) => ['-f', f])
      const flags = [...fileFlags, '-f', '-']
      const dry = [...flags, '--progress', 'plain', '--dry-run']
      const { stdout, stderr } = await run(['create', '--no-build'], override, dry)
      const wouldChange = [...`${stdout}\n${stderr}`.matchAll(change)].map((m) => m[1]!)
      await machine.stop()
      await run(['down', '-v', '-t', '1'])
      await run(['up', '-d'], override, flags)
      return {
        containers: ours.length,
        differences: differences(ours, await inspectAll(stack)),
        wouldChange,
        pendingEdits: last.pendingEdits,
        ranAgain: again.map((c) => c.Config.Labels['com.docker.compose.service'] ?? ''),
      }
    } finally {
      await machine.stop()
    }
  } finally {
    await stack.remove()
  }
}
