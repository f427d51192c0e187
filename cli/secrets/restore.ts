// secrets restore: restores a deleted secret under its old id.
import { openClient } from '../connect/client.ts'
import type { Command } from '../options.ts'
import type { DeletedSecret } from '../../src/generated/rest-types.ts'
import { isSamePlace, type SecretPlace } from '../../src/secrets/place.ts'
import { CliError, usageError } from '../errors.ts'
import { servedKind } from '../output/kinds.ts'
import { getIfThere } from '../objects/objects.ts'
import { out } from '../print.ts'
import { fields, printRecords, type RecordView } from '../output/records.ts'
import { post, projectPath, secretPath, type RestClient } from '../connect/rest.ts'
import { secretCommand, type SecretFlags } from '../objects/secret-flags.ts'
import {
  chosenProject,
  identityOf,
  placeText,
  readStoredSecrets,
} from '../objects/secret-identity.ts'
import { checkFormat, printAs } from '../output/output.ts'
import { lossOfSecret } from '../delete/losses.ts'
import { confirm } from '../prompt.ts'

const deletedView: RecordView<DeletedSecret> = {
  columns: [
    ...fields<DeletedSecret>('key', 'scope', 'stagelet'),
    { header: 'ENVIRONMENTS', cell: (d) => d.environments?.join(',') },
    { header: 'DELETED', cell: (d) => d.deleted_at },
    { header: 'BY', cell: (d) => d.deleted_by },
    { header: 'RESTORABLE UNTIL', cell: (d) => d.restorable_until },
    { header: 'ID', cell: (d) => d.id, wide: true },
  ],
  nameOf: (d) => d.id,
  empty: 'No deleted secrets that can be restored.',
}

export const restoreCommand = (): Command =>
  secretCommand(
    'restore -o',
    'Restore a deleted secret; without KEY, list the secrets that can be restored.',
    [
      'stagely secrets restore --project shop                  # what can be restored',
      'stagely secrets restore STRIPE_SECRET_KEY --project shop --scope backend',
      'stagely secrets restore --all --project shop            # also of a project that was deleted',
    ],
  )
    .argument('[key]', 'variable name, or the id of the list with -o wide')
    .option(
      '--all',
      'restore every deleted secret of the project, and the project if it was deleted',
    )
    .action(restore)

const listDeleted = (rest: RestClient, project: string): Promise<DeletedSecret[]> => {
  const path = `${projectPath(rest.namespace, project)}/deleted-secrets`
  return rest.list<DeletedSecret>(path, 'secrets')
}

/** Of several with the same identity, the one that was deleted last. */
const findDeleted = (
  deleted: readonly DeletedSecret[],
  key: string,
  place: SecretPlace,
): DeletedSecret | undefined =>
  deleted.find((d) => d.id === key || (d.key === key && isSamePlace(d, place)))

/** The API's answer. */
interface Restored {
  readonly version: number
}

/** Restores everything; of two with the same identity, the one that was deleted last. */
const restoreAll = async (flags: SecretFlags): Promise<void> => {
  const { api, rest } = await openClient(flags)
  const { project: given } = flags
  const isGone =
    given !== undefined &&
    (await getIfThere(api, servedKind('Project'), api.namespace, given)) === undefined
  const project = isGone ? given : await chosenProject(api, given)
  if (isGone) {
    await post(rest, '/projects', { team: rest.namespace, name: given })
  }
  const deleted = await listDeleted(rest, project)
  if (deleted.length === 0) {
    // Nothing can be restored under this name: then the project is deleted again.
    if (isGone) await rest.call(projectPath(rest.namespace, project), { method: 'DELETE' })
    throw new CliError(`no deleted secret of project ${project} can be restored`)
  }
  const text = (line: string): void => {
    if (flags.output === undefined) out(line)
  }
  if (isGone) text(`project.stagely.dev/${project} made again, without its description and rollout`)
  const restored: Restored[] = []
  const newest = deleted.filter((secret) => findDeleted(deleted, secret.key, secret) === secret)
  for (const secret of newest) {
    const path = `${secretPath(rest, project, secret.id)}/restore`
    const body = await post<Restored>(rest, path)
    restored.push(body)
    text(`${secret.key} (${placeText(secret)}) restored, version ${body.version}`)
  }
  if (flags.output !== undefined) await printAs(restored, flags.output, () => '')
}

/** Secrets of a deleted project cannot be listed. */
const livingProject = async (flags: SecretFlags): Promise<string> => {
  const { project } = flags
  try {
    return await chosenProject((await openClient(flags)).api, project)
  } catch (error) {
    if (project === undefined || !(error instanceof CliError) || error.exitCode === 2) throw error
    const remedy = `where it was deleted and its secrets are still kept, "stagely secrets restore --all --project ${project}" brings it back with them; it changes nothing where none is kept`
    throw new CliError(`${error.message}\n${remedy}`, 1, error)
  }
}

const restore = async (
  key: string | undefined,
  flags: SecretFlags & { all?: boolean },
): Promise<void> => {
  if (flags.all === true) {
    if (key !== undefined) throw usageError('give KEY or --all, not both')
    checkFormat(flags.output)
    return restoreAll(flags)
  }
  if (key !== undefined) checkFormat(flags.output)
  const project = await livingProject(flags)
  const { rest } = await openClient(flags)
  const deleted = await listDeleted(rest, project)
  if (key === undefined) {
    await printRecords(deleted, deletedView, flags.output)
    return
  }
  const identity = identityOf(project, key, flags)
  const found = findDeleted(deleted, key, identity)
  if (found === undefined) {
    throw new CliError(
      `no deleted secret ${key} of scope ${placeText(identity)} can be restored; "stagely secrets restore --project ${project}" lists those that can`,
    )
  }
  const path = `${secretPath(rest, project, found.id)}/restore`
  const body = await post<Restored>(rest, path)
  await printAs(
    body,
    flags.output,
    () => `${found.key} (${placeText(found)}) restored, version ${body.version}`,
  )
}

export const purgeCommand = (): Command =>
  secretCommand(
    'purge -o=data',
    'Erase a secret for good, also a deleted one. Nothing restores it.',
    ['stagely secrets purge CUSTOMER_TOKEN --project shop --scope backend'],
  )
    .asking()
    .argument('<key>', 'variable name, or the id of a deleted secret')
    .addHelpText(
      'after',
      '\nBackups and the write-ahead log of the database keep what they hold until they are gone too.',
    )
    .action(purge)

const purge = async (key: string, flags: SecretFlags & { yes?: boolean }): Promise<void> => {
  const { api, rest } = await openClient(flags)
  const project = await chosenProject(api, flags.project, key)
  const identity = identityOf(project, key, flags)
  const living = (await readStoredSecrets(api)).find(identity)
  const name =
    living?.metadata.name ?? findDeleted(await listDeleted(rest, project), key, identity)?.id
  if (name === undefined) {
    throw new CliError(
      `project ${project} has no secret ${key} of scope ${placeText(identity)}, living or deleted; "stagely secrets list" and "stagely secrets restore" show what there is`,
    )
  }
  const state = living === undefined ? 'deleted' : 'in use'
  await confirm(
    {
      question: `Erase ${key} (${placeText(identity)}, ${state}) with all its versions, for good?`,
      details: [
        ...(living === undefined ? [] : [lossOfSecret(living)]),
        'No rollback and no restore brings it back; "stagely secrets delete" leaves a time for that.',
      ],
    },
    flags.yes,
  )
  const path = `${secretPath(rest, project, name)}/purge`
  const body = await post<{ versions: number }>(rest, path)
  await printAs(
    body,
    flags.output,
    () =>
      `${key} (${placeText(identity)}) purged: ${body.versions} ${body.versions === 1 ? 'version is' : 'versions are'} gone`,
  )
}
