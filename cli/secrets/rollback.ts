// secrets rollback: an old value of one secret, or all secrets of a project as they were.
import { openClient } from '../connect/client.ts'
import { noteHeaders, toInstant, type Command } from '../options.ts'
import { usageError } from '../errors.ts'
import { out } from '../print.ts'
import { lossOfSecret } from '../delete/losses.ts'
import { confirm } from '../prompt.ts'
import { projectPath, type RestClient } from '../connect/rest.ts'
import { parseNumber, secretCommand, type SecretFlags } from '../objects/secret-flags.ts'
import { chosenProject, openSecret, placeText } from '../objects/secret-identity.ts'
import { printAs } from '../output/output.ts'
import type { Rollback, SetDiff } from '../../src/generated/rest-types.ts'
import { defined } from '../../src/kernel/defined.ts'
import { renderAffected } from '../apply/review.ts'
import { renderDiff } from './diff.ts'

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
  const { toVersion = 0 } = flags
  const { rest, path, identity, object: found } = await openSecret(key, flags)
  const { version = 0 } = (found.status ?? {}) as { version?: number }
  await confirm(
    {
      question: `Put version ${toVersion} of ${key} (${placeText(identity)}) back over ${version}?`,
      details: [lossOfSecret(found), `Version ${version} is kept: this can be undone.`],
    },
    flags.yes,
  )
  const { body } = await rest.call<StoredRecord>(`${path}/rollback`, {
    method: 'POST',
    body: { version: toVersion, expected_version: version },
    headers: noteHeaders(flags),
  })
  await printAs(body, flags.output, () =>
    body.version === version
      ? `${key} is unchanged: version ${version} holds this value already`
      : `${key} is version ${body.version} now, with the value of version ${toVersion}`,
  )
}

const rollbackProject = async (flags: RollbackFlags): Promise<void> => {
  const { api, rest } = await openClient(flags)
  const project = await chosenProject(api, flags.project)
  const { toRevision, toTime, dryRun, yes, output, note } = flags
  const choice = toTime === undefined ? { revision: toRevision } : { at: toTime }
  const { done } = await rollBack(rest, { project, choice, dryRun, yes, output, note })
  if (done !== undefined && output === undefined)
    out(`project ${project} is as it was at revision ${done.revision}`)
}

/** Older controllers do not say which secrets are kept, and whom a rollback reaches. */
type Rolled = Omit<Rollback, 'kept' | 'impact'> & Partial<Pick<Rollback, 'kept' | 'impact'>>

const keptLines = (kept: readonly string[]): string[] =>
  kept.length === 0
    ? []
    : [
        `Kept as they are, since a store gives their values, or a Rotation makes or has ended them: ${kept.join(', ')}`,
      ]

const impactLines = (
  { affected, cascaded, held }: Rollback['impact'],
  namespace: string,
): string[] =>
  renderAffected({
    affected: affected.map((service) => ({ ...service, namespace })),
    cascaded: cascaded.map((service) => ({ ...service, namespace })),
    held: held.map((stagelet) => ({ ...stagelet, namespace })),
  })

interface RollBack {
  readonly project: string
  /** The API's field with the revision or time. */
  readonly choice: object
  readonly dryRun: boolean | undefined
  readonly yes: boolean | undefined
  readonly output: string | undefined
  /** Why. */
  readonly note: string | undefined
}

const countOf = ({ added, removed, changed }: SetDiff): number =>
  added.length + removed.length + changed.length

/** `done` undefined: it was a dry run. `changes` 0: nothing differs, and nobody was asked. */
export const rollBack = async (
  rest: RestClient,
  { project, choice, dryRun, yes, output, note }: RollBack,
): Promise<{
  readonly done: Rolled | undefined
  readonly plan: Rolled
  readonly changes: number
}> => {
  const path = `${projectPath(rest.namespace, project)}/rollback`
  const call = async (body: object, dry: boolean): Promise<Rolled> =>
    (
      await rest.call<Rolled>(path, {
        method: 'POST',
        body: { ...body, ...defined({ note }), dry_run: dry },
      })
    ).body
  const plan = await call(choice, true)
  if (dryRun === true || output === undefined)
    await printAs(plan, output, () =>
      [
        `Back to revision ${plan.revision}:`,
        renderDiff(plan),
        ...keptLines(plan.kept ?? []),
        ...(plan.impact === undefined ? [] : impactLines(plan.impact, rest.namespace)),
      ].join('\n'),
    )
  const changes = countOf(plan)
  if (dryRun === true) return { done: undefined, plan, changes }
  if (changes > 0) {
    const question = `Make project ${project} what it was at revision ${plan.revision}?`
    const details = [
      `${changes} ${changes === 1 ? 'secret changes' : 'secrets change'}; services that see one get new containers. It becomes the newest revision: this can be undone.`,
    ]
    await confirm({ question, details }, yes)
  }
  // Exactly the shown change or none: the revision that the time meant then, and only when nothing has
  // changed since.
  const done = await call({ revision: plan.revision, expected_set: plan.set }, false)
  if (output !== undefined) await printAs(done, output, () => '')
  return { done, plan, changes }
}
