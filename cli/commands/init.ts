// init: adopts an existing Compose project. Reads it through Compose, proposes, asks, writes one file
// of manifests beside it, and stores the values. The user's own files are only read.
import { openClient } from '../connect/client.ts'
import { realpath, writeFile } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { defined } from '../../src/kernel/defined.ts'
import { environmentsOf } from '../../src/secrets/project-environments.ts'
import { readIfThere } from '../../src/kernel/whole-file.ts'
import { type KubeApi } from '../connect/api.ts'
import { applyObjects } from '../apply/apply-objects.ts'
import { readComposeEnvironment } from '../config.ts'
import { CliError, Exit, cannot, failing, usageError } from '../errors.ts'
import { readComposeProject, type ComposeProject } from '../init/compose-project.ts'
import { renderManifests, type InitManifests } from '../init/manifests.ts'
import { propose, usedInOtherPlaces, type Proposal } from '../init/propose.ts'
import { renderProposal, summaryOf } from '../init/show.ts'
import type { StackSource } from '../migrate/environment.ts'
import { servedKind } from '../output/kinds.ts'
import { getIfThere, listObjects } from '../objects/objects.ts'
import { collect, newCommand, type Command, type CommonFlags } from '../options.ts'
import { checkFormat, printAs } from '../output/output.ts'
import { note, withProgress } from '../print.ts'
import { canAsk, confirm, promptLine } from '../prompt.ts'
import { reviewObjects } from '../apply/review.ts'
import { readStoredSecrets } from '../objects/secret-identity.ts'

export interface InitFlags extends CommonFlags {
  readonly file?: string[]
  readonly envFile?: string[]
  readonly profile?: string[]
  readonly projectName?: string
  readonly project?: string
  readonly stagelet?: string
  readonly environment?: string
  readonly agent?: string
  readonly directory?: string
  readonly manifest?: string
  readonly exclude?: string[]
  readonly global?: string[]
  readonly all?: boolean
  readonly references: boolean
  readonly overwrite?: boolean
  readonly reload?: boolean
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly json?: boolean
}

export const command = (): Command =>
  withInitFlags(
    newCommand('init -o', 'Adopt an existing Compose project: its .env files become secrets.', [
      'stagely init /srv/shop --dry-run            # what it would do',
      'stagely init /srv/shop --agent web-1',
      'stagely init . --exclude LOG_LEVEL --global NPM_TOKEN --yes',
    ]),
  ).action((dir: string, flags: InitFlags) => adopt(dir, flags))

/** What `migrate` takes too. */
export const withInitFlags = (command: Command): Command =>
  command
    .argument('[dir]', 'folder of the compose file', '.')
    .option('--file <file>', 'compose file, as with docker compose -f; may be given again', collect)
    .option(
      '--dotenv, --env-file <file>',
      'file for ${VAR} in place of .env; may be given again',
      collect,
    )
    .option('--profile <name>', 'profile that the stack runs with; may be given again', collect)
    .option('--project-name <name>', 'Compose project name, as with docker compose -p')
    .option('-p, --project <name>', 'Stagely project; the Compose project’s name when absent')
    .option('--stagelet <name>', 'name of the stagelet; the project’s name when absent')
    .option(
      '--environment <name>',
      'environment of the project, such as production: the stagelet and the secrets are in it',
    )
    .option('--agent <name>', 'agent of the machine that runs the stack')
    .option('--directory <path>', 'the folder on the agent’s machine, where it is another one')
    .option('--exclude <key>', 'a key that stays in your files; may be given again', collect)
    .option('--global <variable>', 'make a ${VAR} of .env a global secret', collect)
    .option('--all', 'also make secrets of plain configuration')
    .option('--no-references', 'make several secrets of one value that stands in several places')
    .option('--manifest <file>', 'where the YAML goes; stagely.yaml in the folder when absent')
    .option('--overwrite', 'replace a manifest file with other content')
    .option('--reload', 'overwrite stored secrets with the values of your files')
    .option('--dry-run', 'show the proposal and change nothing')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'the same as -o json')

/** Proposes, asks, writes the manifests and stores the values; `source`: the tool that has them now. */
export const adopt = async (dir: string, flags: InitFlags, source?: StackSource): Promise<void> => {
  const output = flags.json === true ? 'json' : flags.output
  checkFormat(output)
  const stack = await findStack(dir, flags)
  const project = await withProgress('Compose reads the project', readProject(stack, flags, source))
  const { exclude = [], global = [], references, all = false } = flags
  const leaves = source?.name
  const proposal = propose(project, { exclude, global, references, all, ...defined({ leaves }) })
  const { api } = await openClient(flags)
  const manifests = await manifestsOf(api, { project, proposal, stack }, flags)
  const path = flags.manifest ?? join(project.directory, 'stagely.yaml')
  const written = await readIfThere(path).catch(cannot(`read ${path}`))
  const review = await reviewObjects(api, manifests.objects)
  for (const { index, field, message } of review.faults) {
    const { kind, metadata } = manifests.objects[index] ?? { kind: '', metadata: { name: '' } }
    note(`${kind} ${metadata.name}: ${field === '' ? '' : `${field}: `}${message}`)
  }
  if (review.faults.length > 0) throw new Exit(1)
  const differs = written !== undefined && written !== manifests.yaml
  const { held } = manifests
  const found = { project, proposal, review, held, manifest: path, manifestDiffers: differs }
  await printAs(summaryOf(found), output, () => renderProposal(found))
  if (flags.dryRun === true) return
  if (differs && flags.overwrite !== true) {
    throw new CliError(
      `${path} says something else: nothing was changed. Look at both, then --overwrite it, or name another file with --manifest`,
    )
  }
  const pending = review.changes.filter(({ action }) => action !== 'Unchanged').length
  if (pending === 0 && written === manifests.yaml) {
    note('Everything is as it should be: nothing to do.')
    return
  }
  await confirm(
    { question: `Write ${path} and load ${proposal.secrets.length - held.length} secrets?` },
    flags.yes,
  )
  await writeFile(path, manifests.yaml)
  await applyObjects(api, manifests.objects)
  note(`Written: ${path}. Commit it; "stagely status" shows the first rollout.`)
}

interface Stack {
  /** Absolute, with links resolved. */
  readonly directory: string
  /** Relative to the directory for files in it, else absolute. */
  readonly files: readonly string[] | undefined
  readonly envFiles: readonly string[] | undefined
}

const findStack = async (dir: string, flags: InitFlags): Promise<Stack> => {
  const directory = await realpath(dir).catch(failing(`there is no folder ${dir}`))
  const placed = async (paths: readonly string[] | undefined): Promise<string[] | undefined> =>
    paths && (await Promise.all(paths.map((path) => placeIn(directory, path))))
  return { directory, files: await placed(flags.file), envFiles: await placed(flags.envFile) }
}

/** Resolves a path from the working directory, as Compose does, or from the folder. */
const placeIn = async (directory: string, given: string): Promise<string> => {
  for (const path of new Set([resolve(given), resolve(directory, given)])) {
    const real = await realpath(path).catch(() => undefined)
    if (real === undefined) continue
    const inside = relative(directory, real)
    return inside.startsWith('..') || isAbsolute(inside) ? real : inside
  }
  throw new CliError(`there is no file ${given}, neither here nor in ${directory}`)
}

const readProject = (
  stack: Stack,
  flags: InitFlags,
  source: StackSource | undefined,
): Promise<ComposeProject> =>
  readComposeProject({
    ...stack,
    profiles: flags.profile,
    projectName: flags.projectName,
    env: readComposeEnvironment(),
    source,
  })

const manifestsOf = async (
  api: KubeApi,
  { project, proposal, stack }: { project: ComposeProject; proposal: Proposal; stack: Stack },
  flags: InitFlags,
): Promise<InitManifests> => {
  const name = flags.project ?? project.name.replaceAll('_', '-').replace(/-+$/, '')
  const before = await getIfThere(api, servedKind('Project'), api.namespace, name)
  const choice = {
    namespace: api.namespace,
    project: name,
    stagelet: flags.stagelet ?? name,
    environment: flags.environment,
    environments: environmentsOf(before),
    agent: await agentOf(api, flags.agent),
    directory: flags.directory ?? project.directory,
    files: stack.files,
    envFiles: stack.envFiles,
    profiles: flags.profile,
    composeProject: project.name,
    variables: usedInOtherPlaces(project, proposal.secrets),
  }
  const stored = await readStoredSecrets(api)
  return renderManifests(choice, proposal.secrets, { stored, ...defined({ reload: flags.reload }) })
}

/** The given agent, else the only one; with several the person is asked. */
const agentOf = async (api: KubeApi, given: string | undefined): Promise<string> => {
  const agents = await listObjects(api, servedKind('Agent'), { namespace: api.namespace })
  const names = agents.map(({ metadata }) => metadata.name)
  const join = 'make a token with "stagely agent token create --name NAME" and start the agent'
  if (given !== undefined) {
    if (!names.includes(given)) note(`There is no agent "${given}" yet: ${join}.`)
    return given
  }
  if (names.length === 1) return names[0]!
  const choice = names.length === 0 ? `there is none yet: ${join}` : names.join(', ')
  if (!canAsk()) throw usageError(`say which agent runs the stack with --agent (${choice})`)
  const typed = (await promptLine(`Which agent runs the stack (${choice})? `)).trim()
  if (typed === '') throw usageError('the stack needs an agent: --agent NAME')
  return typed
}
