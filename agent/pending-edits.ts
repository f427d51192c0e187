// Which services the user's edits of the compose file would change: Compose predicts it in a dry
// run with the very override that is running, so that only the edits can make a difference.
import type { Environment } from '../src/compose/environment.ts'
import type { ComposeModel } from './compose-model.ts'
import type { Compose } from '../src/compose/compose.ts'
import type { ObservedContainer } from './observe.ts'

const line = /^\s*DRY-RUN MODE -\s+Container (\S+)\s+(Recreate|Creating|Create)\s*$/gm

const serviceOf = (
  container: string,
  model: ComposeModel,
  containers: readonly ObservedContainer[],
): string | undefined => {
  const known = containers.find((c) => c.name === container)
  if (known !== undefined) return known.service
  const numbered = container.replace(/-\d+$/, '')
  return model.services.find(
    (s) => s.containerName === container || `${model.projectName}-${s.name}` === numbered,
  )?.name
}

/** Services that Compose says it would re-create or create, sorted. */
const parseDryRun = (
  output: string,
  model: ComposeModel,
  containers: readonly ObservedContainer[],
): string[] => {
  const names = [...output.matchAll(line)].map((m) => serviceOf(m[1]!, model, containers) ?? m[1]!)
  return [...new Set(names)].sort()
}

export interface PendingRequest {
  readonly model: ComposeModel
  readonly containers: readonly ObservedContainer[]
  readonly override: Buffer
  readonly cwd: string
  readonly env: Environment
  readonly mask: (text: string) => string
}

/** Changes nothing; ComposeError when Compose refuses. The labels must be right when this is asked. */
export const findPendingEdits = async (
  compose: Compose,
  request: PendingRequest,
): Promise<string[]> => {
  const { model, containers, override, cwd, env, mask } = request
  const flags = [
    ...model.flags,
    '-p',
    model.projectName,
    '-f',
    '-',
    '--progress',
    'plain',
    '--dry-run',
  ]
  const verb = ['up', '-d', '--no-build', '--pull', 'never']
  const { stdout, stderr } = await compose.run({ verb, flags, cwd, env, mask, stdin: override })
  return parseDryRun(`${stdout}\n${stderr}`, model, containers)
}
