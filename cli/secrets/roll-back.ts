// Rolls all secrets of a project back to a revision: shows the changes, asks, writes. For every command
// that rolls back.
import type { Rollback, SetDiff } from '../../src/rest/types.ts'
import { defined } from '../../src/kernel/defined.ts'
import { renderAffected } from '../apply/review.ts'
import { printAs } from '../output/output.ts'
import { renderDiff } from './set-diff.ts'
import { confirm } from '../prompt.ts'
import { projectPath, type RestClient } from '../connect/rest.ts'

/** Older controllers do not say which secrets are kept, and whom a rollback reaches. */
export type Rolled = Omit<Rollback, 'kept' | 'impact'> & Partial<Pick<Rollback, 'kept' | 'impact'>>

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

export interface RollBack {
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
