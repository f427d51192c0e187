// secrets restore: a deleted secret comes back, under its old id.
import type { Command } from 'commander'
import { CliError } from '../errors.ts'
import { openApi, outputOption } from '../options.ts'
import { printRecords, type RecordView } from '../records.ts'
import { openRest, projectPath, type Rest } from '../rest.ts'
import { secretCommand, type SecretFlags } from './flags.ts'
import { secretPath } from './history.ts'
import { projectOf } from './identity.ts'
import { checkFormat, printAs } from './set-diff.ts'

export interface DeletedRecord {
  readonly id: string
  readonly name: string
  readonly key: string
  readonly scope: string
  readonly stagelet?: string
  readonly deleted_at: string
  readonly deleted_by: string
  readonly restorable_until: string
}

const deletedView: RecordView<DeletedRecord> = {
  columns: [
    { header: 'KEY', cell: (d) => d.key },
    { header: 'SCOPE', cell: (d) => d.scope },
    { header: 'STAGELET', cell: (d) => d.stagelet },
    { header: 'DELETED', cell: (d) => d.deleted_at },
    { header: 'BY', cell: (d) => d.deleted_by },
    { header: 'RESTORABLE UNTIL', cell: (d) => d.restorable_until },
    { header: 'ID', cell: (d) => d.id, wide: true },
  ],
  nameOf: (d) => d.id,
  empty: 'No deleted secrets that can be restored.',
}

export const restoreCommand = (): Command =>
  secretCommand('restore', 'Bring a deleted secret back; without KEY, list what can come back.', [
    'stagely secrets restore --project shop                  # what can be restored',
    'stagely secrets restore STRIPE_SECRET_KEY --project shop --scope backend',
  ])
    .argument('[key]', 'variable name, or the id that the list shows with -o wide')
    .addOption(outputOption())
    .action(restore)

export const listDeleted = (rest: Rest, project: string): Promise<DeletedRecord[]> => {
  const path = `${projectPath(rest.namespace, project)}/deleted-secrets`
  return rest.list<DeletedRecord>(path, 'secrets')
}

/** Of several with one identity the last that was deleted. */
export const findDeleted = (
  deleted: readonly DeletedRecord[],
  key: string,
  { scope = 'global', stagelet }: SecretFlags,
): DeletedRecord | undefined =>
  deleted.find(
    (d) => d.id === key || (d.key === key && d.scope === scope && d.stagelet === stagelet),
  )

const restore = async (key: string | undefined, flags: SecretFlags): Promise<void> => {
  if (key !== undefined) checkFormat(flags.output)
  const project = await projectOf(await openApi(flags), flags.project)
  const rest = await openRest(flags)
  const deleted = await listDeleted(rest, project)
  if (key === undefined) {
    printRecords(deleted, deletedView, flags.output)
    return
  }
  const found = findDeleted(deleted, key, flags)
  if (found === undefined) {
    throw new CliError(
      `no deleted secret ${key} of scope ${flags.scope ?? 'global'} can be restored; "stagely secrets restore" lists those that can`,
    )
  }
  const path = `${secretPath(rest, project, found.id)}/restore`
  const { body } = await rest.call<{ version: number }>(path, { method: 'POST' })
  printAs(
    body,
    flags.output,
    () => `${found.key} (${found.scope}) restored, version ${body.version}`,
  )
}
