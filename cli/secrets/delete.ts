// secrets delete: by key and scope, after a question.
import type { Command } from 'commander'
import { pathOf } from '../api.ts'
import { kindOf, quotedName } from '../kinds.ts'
import { openApi } from '../options.ts'
import { out } from '../print.ts'
import { confirm } from '../prompt.ts'
import { secretCommand, type SecretFlags } from './flags.ts'
import { projectOf, requireKnown } from './identity.ts'

export const deleteCommand = (): Command =>
  secretCommand('delete', 'Delete one secret; the services that see it get new containers.', [
    'stagely secrets delete STRIPE_SECRET_KEY --project shop --scope backend',
    'stagely secrets delete DB_URL --project shop --stagelet staging --yes',
  ])
    .argument('<key>', 'variable name, such as DATABASE_URL')
    .option('-y, --yes', 'do not ask')
    .action(remove)

const remove = async (key: string, flags: SecretFlags & { yes?: boolean }): Promise<void> => {
  const api = await openApi(flags)
  const project = await projectOf(api, flags.project)
  const { scope = 'global', stagelet } = flags
  const found = await requireKnown(api, { project, key, scope, stagelet })
  const kind = kindOf('StagelySecret')
  const services = (found.status as { services?: string[] } | undefined)?.services ?? []
  const seen = services.length === 0 ? 'no service sees it' : `seen by ${services.join(', ')}`
  await confirm(`Delete ${key} of scope ${scope} (${seen})?`, flags.yes)
  await api.call(pathOf(kind, api.namespace, found.metadata.name), { method: 'DELETE' })
  out(`${quotedName(kind, found.metadata.name)} deleted`)
}
