// rollout history and undo: the revisions of a project, and the rollback to one.
import { openClient } from '../connect/client.ts'
import type { SetDiff } from '../../src/generated/rest-types.ts'
import { usageError } from '../errors.ts'
import { fullName, servedKind } from '../output/kinds.ts'
import { newCommand, waitOf, type Command, type CommonFlags, type WaitFlags } from '../options.ts'
import { out } from '../print.ts'
import { printRecords, type RecordView } from '../output/records.ts'
import { projectPath, type RestClient } from '../connect/rest.ts'
import { rollBack } from '../secrets/rollback.ts'
import { parseNumber } from '../objects/secret-flags.ts'
import { checkFormat, printAs } from '../output/output.ts'
import { renderDiff } from '../secrets/diff.ts'
import { stageletNames, stageletsOfProject, waitForSync } from '../wait/wait-in-sync.ts'
import { findRolloutTarget, readRollout } from './target.ts'

interface Revision {
  readonly revision: number
  readonly closed_at: string
  readonly written: number
  readonly deleted: number
  readonly keys: readonly string[]
  readonly moved?: readonly string[]
  readonly by: readonly string[]
  readonly note?: string
  /** Stagelets that run it now. */
  readonly runs: readonly string[]
}

const maxKeys = 20

const named = ({ keys, written, deleted }: Revision): string =>
  keys.join(', ') + (written + deleted > maxKeys && keys.length >= maxKeys ? ', …' : '')

const view: RecordView<Revision> = {
  columns: [
    { header: 'REVISION', cell: (r) => r.revision },
    { header: 'CLOSED', cell: (r) => r.closed_at.replace(/\.\d+Z$/, 'Z') },
    { header: 'BY', cell: (r) => r.by.join(', ') },
    { header: 'KEYS', cell: named },
    { header: 'MOVED', cell: (r) => r.moved?.join(', '), wide: true },
    { header: 'RUNS ON', cell: (r) => r.runs.join(', ') },
    { header: 'NOTE', cell: (r) => r.note?.replaceAll('\n', ' / ') },
    { header: 'WRITTEN', cell: (r) => r.written, wide: true },
    { header: 'DELETED', cell: (r) => r.deleted, wide: true },
  ],
  nameOf: (r) => String(r.revision),
  empty: 'No revisions yet.',
}

const listRevisions = (rest: RestClient, project: string): Promise<Omit<Revision, 'runs'>[]> =>
  rest.list(`${projectPath(rest.namespace, project)}/revisions`, 'revisions')

interface HistoryFlags extends CommonFlags {
  readonly revision?: number
}

export const rolloutHistoryCommand = (): Command =>
  newCommand(
    'history -o',
    'Show the revisions of a project: who changed which keys when, and which stagelets run them.',
    [
      'stagely rollout history shop',
      'stagely rollout history shop --revision 3     # what that one changed',
      'stagely rollout history stagelet/shop',
    ],
  )
    .argument('<target...>', 'a project, or KIND/NAME: project/shop, stagelet/shop')
    .option('--revision <number>', 'what this revision changed, by names', parseNumber)
    .action(history)

const history = async (words: string[], flags: HistoryFlags): Promise<void> => {
  const { api, rest } = await openClient(flags)
  const target = await findRolloutTarget(api, words)
  const { revision } = flags
  if (revision !== undefined) {
    checkFormat(flags.output)
    if (revision === 0) throw usageError('revision 0 is the empty set; the first one is 1')
    const path = `${projectPath(rest.namespace, target.project)}/revisions/diff`
    const query = { from: String(revision - 1), to: String(revision) }
    const { body } = await rest.call<SetDiff>(path, { query })
    await printAs(body, flags.output, () => `Revision ${revision}:\n${renderDiff(body)}`)
    return
  }
  const revisions = await listRevisions(rest, target.project)
  const { stagelets } = await readRollout(rest, target.project)
  const shown = stagelets.filter((s) => target.kind === 'Project' || s.name === target.name)
  const withRuns = revisions.map((r) => ({
    ...r,
    runs: shown.filter((s) => s.running_revision === r.revision).map((s) => s.name),
  }))
  await printRecords(withRuns, view, flags.output)
}

interface UndoFlags extends CommonFlags, WaitFlags {
  readonly note?: string
  readonly toRevision?: number
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export const undoCommand = (): Command =>
  newCommand(
    'undo -o=data -m',
    'Roll all secrets of a project back to the previous revision, or to an older one.',
    [
      'stagely rollout undo shop',
      'stagely rollout undo shop --to-revision 3 --dry-run',
      'stagely rollout undo shop --to-revision 3 --yes',
      'stagely rollout undo shop --wait --timeout 5m',
    ],
  )
    .asking()
    .waiting('every stagelet of the project runs the restored secrets')
    .argument('<target...>', 'a project: shop, project/shop')
    .option('--to-revision <number>', '0 or absent: the one before the newest', parseNumber, 0)
    .option('--dry-run', 'show what would change, and change nothing')
    .addHelpText(
      'after',
      '\nWhat comes back is stored as the newest revision: nothing is lost, and this can be undone.',
    )
    .action(undo)

const undo = async (words: string[], flags: UndoFlags): Promise<void> => {
  const timeoutMs = waitOf(flags)
  const { api, rest } = await openClient(flags)
  const target = await findRolloutTarget(api, words)
  const { project } = target
  if (target.kind === 'Stagelet')
    throw usageError(
      `the secrets of stagelet "${target.name}" are those of its project: "stagely rollout undo project/${project}"; to put back one that is only for this stagelet: "stagely secrets rollback KEY --stagelet ${target.name}"`,
    )
  const wanted = flags.toRevision ?? 0
  const { dryRun, yes, output, note } = flags
  const choice = { revision: wanted === 0 ? 'previous' : wanted }
  const { plan, changes } = await rollBack(rest, { project, choice, dryRun, yes, output, note })
  const word = changes === 0 ? 'skipped rollback' : 'rolled back'
  const mode = dryRun === true ? ' (dry run)' : ''
  const quiet = output !== undefined
  if (!quiet)
    out(`${fullName(servedKind('Project'), project)} ${word} to revision ${plan.revision}${mode}`)
  if (timeoutMs === undefined || dryRun === true) return
  await waitForSync(api, stageletNames(await stageletsOfProject(api, project)), timeoutMs, {
    quiet,
  })
}
