// run: starts a local process with the secrets of a service as its environment. Nothing is written to a
// disk.
import { openClient } from '../connect/client.ts'
import type { SecretValue } from '../../src/generated/rest-types.ts'
import { type KubeApi } from '../connect/api.ts'
import { readEnvironment, readRuntimeFolders } from '../config.ts'
import { runForeground } from '../../src/process/foreground.ts'
import { specOf } from '../../src/kinds/typed.ts'
import { everyService } from '../../src/secrets/place.ts'
import { CliError, Exit, usageError } from '../errors.ts'
import { newCommand, type Command, type CommonFlags } from '../options.ts'
import { note } from '../print.ts'
import { makeEnvironment, withVariables, type Variable } from '../run/environment.ts'
import { writePrivateFiles, type PrivateFile } from '../run/private-files.ts'
import { projectOption } from '../objects/secret-flags.ts'
import { chosenProject, readStoredSecrets, requireViewer } from '../objects/secret-identity.ts'
import { requireService } from '../secrets/service.ts'
import { bytesOf, revealAll, revealedText } from '../secrets/reveal.ts'

interface RunFlags extends CommonFlags {
  readonly project?: string
  readonly service?: string
  readonly stagelet?: string
  readonly environment?: string
  readonly withoutFiles?: boolean
}

export const command = (): Command =>
  newCommand('run', 'Run a local command with the secrets of a service as its environment.', [
    'stagely run --project shop --service backend -- npm start',
    'stagely run --project shop --stagelet staging --service backend -- ./manage.py shell',
    'stagely run --project shop --environment staging --service backend -- npm test',
    'stagely run -- sh -c \'psql "$DATABASE_URL"\'     # the global secrets of the only project',
  ])
    .usage('[options] -- COMMAND [ARGUMENT...]')
    .argument('<command...>', 'command and its arguments, after --')
    .option(...projectOption)
    .option('--service <name>', 'the service whose secrets it gets; global ones when absent')
    .option(
      '--stagelet <name>',
      'as in this stagelet: its own secrets win over those of the project',
    )
    .option('--environment <name>', 'as in a stagelet of this environment')
    .option('--without-files', 'leave file secrets out')
    .addHelpText(
      'after',
      `
The secrets are in the environment of the command and of nothing else; a file secret is in memory
while the command runs, and KEY_FILE (or its own variable) points at it. What the command prints is
not masked. Who ran what with which secrets is in the audit.`,
    )
    .action(run)

const run = async (words: string[], flags: RunFlags): Promise<void> => {
  if (!process.argv.includes('--')) throw usageError('put -- before the command that is to run')
  const [file = '', ...args] = words
  const { api, rest } = await openClient(flags)
  const project = await chosenProject(api, flags.project)
  // Without a service: the secrets that every service sees. One value for each key; a stagelet's own
  // secrets only when that stagelet is given.
  const { service = everyService, stagelet, environment } = flags
  await requireViewer(api, project, { stagelet, environment })
  await requireService(api, { project, stagelet }, service)
  const query = { service, stagelet, environment, way: 'run' } as const
  const secrets = await revealAll(rest, project, query)
  const wanted =
    flags.withoutFiles === true ? secrets.filter(({ type }) => type === 'env') : secrets
  const files = await writePrivateFiles(await filesOf(api, project, wanted), readRuntimeFolders())
  let result
  try {
    const made = makeEnvironment([...variablesOf(wanted), ...files.paths])
    made.warnings.forEach(note)
    const env = withVariables(readEnvironment(), made.variables)
    const hasTerminal = process.stdin.isTTY
    result = await runForeground({ file, args, env, hasTerminal })
  } finally {
    await files.remove()
  }
  if (result.startError !== undefined) note(`error: cannot start ${file} (${result.startError})`)
  throw new Exit(result.exitCode)
}

const variablesOf = (secrets: readonly SecretValue[]): Variable[] =>
  secrets
    .filter(({ type }) => type !== 'file')
    .map((secret) => ({ name: secret.key, value: revealedText(secret) ?? '' }))

const filesOf = async (
  api: KubeApi,
  project: string,
  secrets: readonly SecretValue[],
): Promise<PrivateFile[]> => {
  const files = secrets.filter(({ type }) => type === 'file')
  if (files.length === 0) return []
  const stored = await readStoredSecrets(api)
  return files.map((secret) => {
    const { key, scope, stagelet, environments } = secret
    const object = stored.find({ project, key, scope, stagelet, environments })
    if (object === undefined) throw new CliError(`${key} was deleted meanwhile: run it again`)
    const variable =
      specOf('StagelySecret', object).file?.envVar ?? `${key.replace(/[^A-Za-z0-9_]/g, '_')}_FILE`
    return { variable, key, value: bytesOf(secret) }
  })
}
