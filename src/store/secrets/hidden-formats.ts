// Which templates with a format a writer may learn nothing about: the answer would tell whether a value has it, which is
// some of the value, and by many formats all of it.
import type { SecretSpec } from '../../kinds/secret/schema.ts'
import { specOf } from '../../kinds/typed.ts'
import { environmentSet } from '../../secrets/environment-set.ts'
import { stageletOf, type Viewer } from '../../secrets/place.ts'
import { BrokenReference, createDependencies } from '../../secrets/references.ts'
import type { ProjectState } from '../core/project-state.ts'
import type { OpenedEntry } from '../core/sets.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { term } from '../state/rows.ts'
import { mayLearn } from './disclosure.ts'

/** An entry that refers to others, with its object. */
export type OpenedSecret = OpenedEntry & { readonly row: StoredRow }

export const ruleOf = ({ row }: OpenedSecret): SecretSpec => specOf('StagelySecret', row.object)

interface Templates {
  readonly opened: readonly OpenedSecret[]
  /** With what they refer to. */
  readonly entries: readonly OpenedEntry[]
  readonly viewers: Iterable<Viewer>
  /** Keys whose value changes by one that the writer did not give in plain text. */
  readonly reached: ReadonlySet<string>
  /** Uids of the secrets that the writer gives in plain text. */
  readonly given: ReadonlySet<string>
}

/** Those of which the writer may not read the value, or that of a secret that they refer to in some environment. */
export const hiddenFrom = (
  session: WriteSession,
  project: ProjectState,
  { opened, entries, viewers, reached, given }: Templates,
): ReadonlySet<OpenedSecret> => {
  const judged = opened.filter(
    (secret) => reached.has(secret.key) && ruleOf(secret).format !== undefined,
  )
  const hidden = new Set(judged.filter(({ row }) => !mayLearn(session, row.object)))
  if (judged.length === hidden.size) return hidden
  const mayRead = ({ secretId }: { readonly secretId: string }): boolean => {
    const [row] = given.has(secretId) ? [] : session.select(term.uid(secretId))
    return row === undefined || mayLearn(session, row.object)
  }
  for (const viewer of viewers) {
    const set = environmentSet({ entries, layout: project.layout }, viewer)
    const reach = createDependencies(set, stageletOf(viewer))
    for (const secret of judged) {
      const entry = set.find(({ secretId }) => secretId === secret.secretId)
      try {
        if (entry !== undefined && !reach(entry).every(mayRead)) hidden.add(secret)
      } catch (error) {
        // Told as a problem of the write.
        if (!(error instanceof BrokenReference)) throw error
      }
    }
  }
  return hidden
}
