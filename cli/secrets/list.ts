// secrets list: names and versions, never values.
import type { Command } from 'commander'
import type { KubeObject } from '../../src/resources/meta.ts'
import { asTable, openApi, pathOf } from '../connect/api.ts'
import { kindOf } from '../objects/kinds.ts'
import { listObjects } from '../objects/objects.ts'
import { outputOption } from '../options.ts'
import { parseOutput, renderObjects } from '../output/output.ts'
import { note, out } from '../print.ts'
import { renderTable, type Table } from '../output/table.ts'
import { secretCommand, type SecretFlags } from './flags.ts'
import { identityOf, projectOf } from './identity.ts'

export const listCommand = (): Command =>
  secretCommand('list', 'List secrets: names and versions, never values.', [
    'stagely secrets list --project shop',
    'stagely secrets list --project shop --scope backend -o json',
  ])
    .addOption(outputOption())
    .action(list)

const list = async (flags: SecretFlags): Promise<void> => {
  const output = flags.output === undefined ? undefined : parseOutput(flags.output)
  const api = await openApi(flags)
  // A mistyped project is an error, not an empty list.
  if (flags.project !== undefined) await projectOf(api, flags.project)
  const isMeant = (object: KubeObject | undefined): boolean => {
    if (object === undefined) return false
    const { project, scope, stagelet } = identityOf(object)
    return (
      (flags.project ?? project) === project &&
      (flags.scope ?? scope) === scope &&
      (flags.stagelet ?? stagelet) === stagelet
    )
  }
  const kind = kindOf('StagelySecret')
  if (output !== undefined && output !== 'wide') {
    const objects = await listObjects(api, kind, { namespace: api.namespace })
    out(renderObjects(objects.filter(isMeant), output, false))
    return
  }
  const table = (await api.call(pathOf(kind, api.namespace), {
    accept: asTable,
    query: { includeObject: 'Object' },
  })) as Table
  const rows = table.rows.filter(({ object }) => isMeant(object))
  const shown = { columnDefinitions: table.columnDefinitions, rows }
  if (rows.length === 0) note(`No secrets found in ${api.namespace} namespace.`)
  else out(renderTable(shown, { wide: output === 'wide' }))
}
