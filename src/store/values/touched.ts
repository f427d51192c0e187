// Notes what a write did to a secret, for what is judged at its end.
import type { SecretSpec } from '../../resources/stagelysecret.ts'
import type { SetEntry } from '../../secrets/visible.ts'
import type { ProjectState } from '../projects.ts'
import type { PreparedSecret } from '../secret-writes.ts'
import type { StoredRow, WriteSession } from '../session.ts'
import { changesRule } from './judged.ts'

/**
 * What a secret was before or after a write, and what happened to it there: `given`, the writer gave its
 * value; `rule`, only what its value must look like changed; `moved`, all else.
 */
export interface Touched {
  readonly project: ProjectState
  readonly entry: SetEntry
  readonly why: 'given' | 'rule' | 'moved'
}

const samePlace = (a: SetEntry, b: SetEntry): boolean =>
  a.scope === b.scope && a.stagelet === b.stagelet

/** `current` is what was stored before. */
export const touchSecret = (
  session: WriteSession,
  { object, version, before, project }: PreparedSecret,
  current: StoredRow | undefined,
): void => {
  if (version === undefined) {
    const spec = object.spec as SecretSpec
    const rules = before?.references !== undefined && spec.format !== undefined
    if (rules && changesRule(spec, current))
      session.touched.push({ project, entry: before, why: 'rule' })
    return
  }
  const { entry, origin } = version
  const stays = before === undefined || samePlace(before, entry)
  const literal = (entry.references ?? []).length === 0
  const why = origin === 'given' && stays && literal ? 'given' : 'moved'
  session.touched.push({ project, entry, why })
  if (before !== undefined) session.touched.push({ project, entry: before, why })
}
