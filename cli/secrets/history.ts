// secrets history: the versions of one secret, or the revisions of a project. Of values only plain ones.
import { openClient } from '../connect/client.ts'
import type { Command } from '../options.ts'
import type { Revision, SecretVersion } from '../../src/generated/rest-types.ts'
import { valueText } from '../output/plain-value.ts'
import { fields, printRecords, type RecordView } from '../output/records.ts'
import { projectPath } from '../connect/rest.ts'
import { secretCommand, type SecretFlags } from '../objects/secret-flags.ts'
import { chosenProject, openSecret } from '../objects/secret-identity.ts'

const versionView = (versions: readonly SecretVersion[]): RecordView<SecretVersion> => ({
  columns: [
    { header: 'VERSION', cell: (v) => v.version },
    { header: 'CURRENT', cell: (v) => (v.current ? '*' : '') },
    { header: 'WRITTEN', cell: (v) => v.created_at },
    { header: 'BY', cell: (v) => v.created_by },
    ...fields<SecretVersion>('bytes', 'same_as'),
    ...(versions.some(({ value }) => value !== undefined)
      ? [{ header: 'VALUE', cell: (v: SecretVersion) => v.value && valueText(v.value) }]
      : []),
    { header: 'SCOPE', cell: (v) => v.scope, wide: true },
    { header: 'REVISIONS', cell: (v) => `${v.from_revision}-${v.to_revision ?? ''}`, wide: true },
  ],
  nameOf: (v) => String(v.version),
  empty: 'No versions: no value was ever given.',
})

const revisionView: RecordView<Revision> = {
  columns: [
    { header: 'REVISION', cell: (r) => r.revision },
    { header: 'CLOSED', cell: (r) => r.closed_at.replace(/\.\d+Z$/, 'Z') },
    ...fields<Revision>('written', 'deleted'),
    { header: 'BY', cell: (r) => r.by.join(', ') },
    { header: 'NOTE', cell: (r) => r.note?.replaceAll('\n', ' / ') },
  ],
  nameOf: (r) => String(r.revision),
  empty: 'No revisions yet.',
}

export const secretHistoryCommand = (): Command =>
  secretCommand('history -o', 'Show who changed a secret when; without KEY, the whole project.', [
    'stagely secrets history STRIPE_SECRET_KEY --project shop --scope backend',
    'stagely secrets history --project shop     # its revisions',
  ])
    .argument('[key]', 'variable name, such as DATABASE_URL')
    .action(history)

const history = async (key: string | undefined, flags: SecretFlags): Promise<void> => {
  if (key === undefined) {
    const { api, rest } = await openClient(flags)
    const project = await chosenProject(api, flags.project)
    const path = `${projectPath(rest.namespace, project)}/revisions`
    const revisions = await rest.list<Revision>(path, 'revisions')
    await printRecords(revisions, revisionView, flags.output)
    return
  }
  const { rest, path } = await openSecret(key, flags)
  const versions = await rest.list<SecretVersion>(`${path}/versions`, 'versions', {
    values: 'true',
  })
  await printRecords(versions, versionView(versions), flags.output)
}
