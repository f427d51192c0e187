// preview down: takes a preview down, and waits until nothing is left of it.
import { openClient } from '../connect/client.ts'
import type { Stagelet } from '../../src/generated/rest-types.ts'
import { isReason } from '../../src/kernel/errors.ts'
import { projectPath, stageletPath, type RestClient } from '../connect/rest.ts'
import { waitOf, type Command, type WaitFlags } from '../options.ts'
import { note, out } from '../print.ts'
import { confirm } from '../prompt.ts'
import { pollUntilDone } from '../wait/poll.ts'
import { findIfThere, noPreview, previewCommand, type PreviewFlags } from './find.ts'

interface Flags extends PreviewFlags, WaitFlags {
  readonly yes?: boolean
}

export const downCommand = (): Command =>
  previewCommand(
    'down',
    'Take a preview down: its containers, networks, volumes, own secrets, and its folder where the agent made it.',
    ['stagely preview down pr-42', 'stagely preview down pr-42 --from shop --yes'],
  )
    .waitingByDefault('the agent has taken it down')
    .argument('<name>', 'name of the preview')
    .option('-y, --yes', 'do not ask')
    .action(down)

/** Undefined when it is gone. */
const read = async (rest: RestClient, path: string): Promise<Stagelet | undefined> => {
  try {
    return (await rest.call<Stagelet>(path)).body
  } catch (error) {
    if (isReason(error, 'NotFound')) return undefined
    throw error
  }
}

const down = async (name: string, flags: Flags): Promise<void> => {
  const { rest } = await openClient(flags)
  const found = await findIfThere(rest, name, flags)
  if (found === undefined) {
    // As for Compose: what is not there is down.
    note(noPreview(name))
    return
  }
  const { project, team, id, agent, name: stagelet } = found
  const details = [
    `stagelet ${stagelet} on agent ${agent}: its containers, networks and own secrets go.`,
    'The data in its volumes is lost.',
  ]
  await confirm({ question: `Take preview ${name} of ${project} down?`, details }, flags.yes)
  const path = `${projectPath(team, project)}/previews/${encodeURIComponent(name)}`
  await rest.call(path, { method: 'DELETE' }).catch((error: unknown) => {
    // It has gone meanwhile.
    if (!isReason(error, 'NotFound')) throw error
  })
  const timeoutMs = waitOf(flags)
  if (timeoutMs !== undefined) {
    const own = stageletPath(team, stagelet)
    const whyNot = (left: Stagelet | undefined): string => {
      const reachable = left?.conditions.find(({ type }) => type === 'AgentReachable')
      return reachable?.status === 'False' || reachable?.status === 'Unknown'
        ? `waits for agent ${agent}: ${reachable.message}`
        : `waits for agent ${agent}, which takes it down`
    }
    await pollUntilDone(await read(rest, own), {
      read: () => read(rest, own),
      // Somebody may have made another one of this name.
      isDone: (left) => left === undefined || left.id !== id,
      progress: whyNot,
      everyMs: 300,
      timeoutMs,
      late: whyNot,
    })
  }
  out(`preview/${name} ${timeoutMs === undefined ? 'is being taken down' : 'is gone'}`)
}
