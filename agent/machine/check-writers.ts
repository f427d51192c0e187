// Doctor: finds stacks whose Compose files containers may write. An agent refuses them, unless their stagelets say so.
import { messageOf } from '../../src/kernel/errors.ts'
import { checkAllowed } from '../compose/allowed-folders.ts'
import { findWrittenByContainers } from '../borders/written-by-containers.ts'
import type { AgentConfig } from '../config.ts'
import { readStacks } from '../docker/info.ts'
import { ok, skipped, warning, type DoctorCheck } from './check.ts'

const name = 'writers'

export const checkWriters = async ({
  dockerSocket,
  allowDirs,
}: Pick<AgentConfig, 'dockerSocket' | 'allowDirs'>): Promise<DoctorCheck> => {
  const stacks = await readStacks(dockerSocket).catch((error: unknown) => messageOf(error))
  if (typeof stacks === 'string') return skipped(name, `the engine does not tell its containers: ${stacks}`) // prettier-ignore
  const found: string[] = []
  for (const { project, directory, files } of stacks.stacks) {
    if ((await checkAllowed(directory, { allowDirs, ownDirs: [] })) !== undefined) continue
    const parts = { directory, steering: files, used: [], allowed: [], namesAll: true }
    const fault = await findWrittenByContainers(parts, stacks.mounts)
    const [what = ''] = fault?.message.split('. ') ?? []
    if (fault !== undefined) found.push(`${project}: ${what}`)
  }
  return found.length === 0
    ? ok(name, 'no container may write the Compose files of a stack below --allow-dir')
    : warning(name, `code in containers could change what these stacks mount, so the agent refuses them: ${found.join('; ')}`, 'mount read-only, or a folder without Compose files; where that is meant, list the folder in the stagelet: spec.compose.writableFolders') // prettier-ignore
}
