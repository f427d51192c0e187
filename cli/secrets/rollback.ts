// secrets rollback: an old value of one secret, or all secrets of a project as they were.
import { toInstant } from '../audit/time.ts'
import { usageError } from '../errors.ts'
import { openApi } from '../connect/api.ts'
import { noteHeaders, type Command } from '../options.ts'
import { out } from '../print.ts'
import { lossOfSecret } from '../delete/losses.ts'
import { confirm } from '../prompt.ts'
import { openRest } from '../connect/rest.ts'
import { parseNumber, secretCommand, type SecretFlags } from './flags.ts'
import { secretPath } from './history.ts'
import { chosenProject, identityOf, placeText, requireKnown } from './identity.ts'
import { rollBack } from './roll-back.ts'
import { printAs } from '../output/output.ts'

interface RollbackFlags extends SecretFlags {
  readonly toVersion?: number
  readonly toRevision?: number
  readonly toTime?: string
  readonly dryRun?: boolean
  readonly note?: string
  readonly yes?: boolean
}

interface StoredRecord {
  readonly key: string
  readonly version: number
}

export const rollbackCommand = (): Command =>
  secretCommand(
    'rollback -o=data -m',
    'Roll one secret back to an old version, or all secrets of a project to an old revision.',
    [
      'stagely secrets rollback STRIPE_SECRET_KEY --to-version 3 --project shop --scope backend',
      'stagely secrets rollback --project shop --to-revision 12 --dry-run',
      'stagely secrets rollback --project shop --to-time 2026-01-31T10:00:00Z',
      'stagely secrets rollback --project shop --to-time 2h --yes',
    ],
  )
    .asking()
    .argument('[key]', 'variable name, with --to-version; without it, the whole project')
    .option('--to-version <number>', 'of the secret: the version to restore', parseNumber)
    .option('--to-revision <number>', 'of the project: the revision to restore', parseNumber)
    .option(
      '--to-time <time>',
      'of the project: restore the secrets of this time; 2h is two hours ago',
      toInstant,
    )
    .option('--dry-run', 'of the project: show what would change, and change nothing')
    .addHelpText(
      'after',
      '\nWhat comes back is stored as the newest version: nothing is lost, and this can be undone.',
    )
    .action(rollback)

const rollback = async (key: string | undefined, flags: RollbackFlags): Promise<void> => {
  const { toVersion, toRevision, toTime, dryRun } = flags
  const asked = [toVersion, toRevision, toTime].filter((choice) => choice !== undefined)
  if (asked.length !== 1 || (key === undefined) !== (toVersion === undefined))
    throw usageError('say KEY and --to-version, or just one of --to-revision and --to-time')
  if (key !== undefined && dryRun === true)
    throw usageError('--dry-run goes with --to-revision and --to-time')
  return key === undefined ? rollbackProject(flags) : rollbackSecret(key, flags)
}

const rollbackSecret = async (key: string, flags: RollbackFlags): Promise<void> => {
  const api = await openApi(flags)
  const project = await chosenProject(api, flags.project, key)
  const { toVersion = 0 } = flags
  const identity = identityOf(project, key, flags)
  const found = await requireKnown(api, identity)
  const { version = 0 } = (found.status ?? {}) as { version?: number }
  const rest = await openRest(flags)
  await confirm(
    {
      question: `Put version ${toVersion} of ${key} (${placeText(identity)}) back over ${version}?`,
      details: [lossOfSecret(found), `Version ${version} is kept: this can be undone.`],
    },
    flags.yes,
  )
  const { body } = await rest.call<StoredRecord>(
    `${secretPath(rest, project, found.metadata.name)}/rollback`,
    {
      method: 'POST',
      body: { version: toVersion, expected_version: version },
      headers: noteHeaders(flags),
    },
  )
  await printAs(body, flags.output, () =>
    body.version === version
      ? `${key} is unchanged: version ${version} holds this value already`
      : `${key} is version ${body.version} now, with the value of version ${toVersion}`,
  )
}

const rollbackProject = async (flags: RollbackFlags): Promise<void> => {
  const project = await chosenProject(await openApi(flags), flags.project)
  const { toRevision, toTime, dryRun, yes, output, note } = flags
  const choice = toTime === undefined ? { revision: toRevision } : { at: toTime }
  const rest = await openRest(flags)
  const { done } = await rollBack(rest, { project, choice, dryRun, yes, output, note })
  if (done !== undefined && output === undefined)
    out(`project ${project} is as it was at revision ${done.revision}`)
}
