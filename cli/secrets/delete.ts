// secrets delete: by key and scope, after confirmation.
import { pathOf } from '../connect/api.ts'
import { quotedName, servedKind } from '../output/kinds.ts'
import { noteHeaders, type Command } from '../options.ts'
import { readGrace, restorableFor, restorableUntil } from '../delete/losses.ts'
import { note, out } from '../print.ts'
import { confirm } from '../prompt.ts'
import { secretCommand, type SecretFlags } from '../objects/secret-flags.ts'
import { openSecret, placeText } from '../objects/secret-identity.ts'

export const deleteCommand = (): Command =>
  secretCommand('delete -m', 'Delete one secret; the services that see it get new containers.', [
    'stagely secrets delete STRIPE_SECRET_KEY --project shop --scope backend',
    'stagely secrets delete DB_URL --project shop --stagelet staging --yes',
  ])
    .asking()
    .argument('<key>', 'variable name, such as DATABASE_URL')
    .action(remove)

const remove = async (
  key: string,
  flags: SecretFlags & { yes?: boolean; note?: string },
): Promise<void> => {
  const { api, rest, project, identity, object: found } = await openSecret(key, flags)
  const kind = servedKind('StagelySecret')
  const services = (found.status as { services?: string[] } | undefined)?.services ?? []
  const reachText = services.length === 0 ? 'no service sees it' : `seen by ${services.join(', ')}`
  const loss = { namespace: api.namespace, project, whole: false }
  const grace = await readGrace(rest, loss)
  const details = [restorableFor(grace, loss)]
  await confirm(
    { question: `Delete ${key} of scope ${placeText(identity)} (${reachText})?`, details },
    flags.yes,
  )
  await api.call(pathOf(kind, api.namespace, found.metadata.name), {
    method: 'DELETE',
    headers: noteHeaders(flags),
  })
  out(`${quotedName(kind, found.metadata.name)} deleted`)
  note(restorableUntil(grace, loss))
}
