// secrets purge: erases a secret with all its versions, whether deleted or not.
import type { Command } from '../options.ts'
import { CliError } from '../errors.ts'
import { openApi } from '../connect/api.ts'
import { lossOfSecret } from '../delete/losses.ts'
import { confirm } from '../prompt.ts'
import { openRest } from '../connect/rest.ts'
import { secretCommand, type SecretFlags } from './flags.ts'
import { secretPath } from '../connect/rest.ts'
import { chosenProject, identityOf, placeText, readStoredSecrets } from './identity.ts'
import { findDeleted, listDeleted } from './restore.ts'
import { printAs } from '../output/output.ts'

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
  const api = await openApi(flags)
  const project = await chosenProject(api, flags.project, key)
  const rest = await openRest(flags)
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
  const { body } = await rest.call<{ versions: number }>(
    `${secretPath(rest, project, name)}/purge`,
    { method: 'POST' },
  )
  await printAs(
    body,
    flags.output,
    () =>
      `${key} (${placeText(identity)}) purged: ${body.versions} ${body.versions === 1 ? 'version is' : 'versions are'} gone`,
  )
}
