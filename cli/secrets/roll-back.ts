// Rolls all secrets of a project back to a revision: shows the changes, asks, writes. For every command
// that rolls back.
import { printAs, renderDiff, type DiffRecord } from './set-diff.ts'
import { confirm } from '../prompt.ts'
import { projectPath, type Rest } from '../rest.ts'

export type Rolled = DiffRecord & { readonly revision: number; readonly set: string }

export interface RollBack {
  readonly project: string
  /** The API's field with the revision or time. */
  readonly choice: object
  readonly dryRun: boolean | undefined
  readonly yes: boolean | undefined
  readonly output: string | undefined
}

const countOf = ({ added, removed, changed }: DiffRecord): number =>
  added.length + removed.length + changed.length

/** `done` undefined: it was a dry run. `changes` 0: nothing differs, and nobody was asked. */
export const rollBack = async (
  rest: Rest,
  { project, choice, dryRun, yes, output }: RollBack,
): Promise<{
  readonly done: Rolled | undefined
  readonly plan: Rolled
  readonly changes: number
}> => {
  const path = `${projectPath(rest.namespace, project)}/rollback`
  const call = async (body: object, dry: boolean): Promise<Rolled> =>
    (await rest.call<Rolled>(path, { method: 'POST', body: { ...body, dry_run: dry } })).body
  const plan = await call(choice, true)
  if (dryRun === true || output === undefined)
    printAs(plan, output, () => `Back to revision ${plan.revision}:\n${renderDiff(plan)}`)
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
  if (output !== undefined) printAs(done, output, () => '')
  return { done, plan, changes }
}
