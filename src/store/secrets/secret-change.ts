// Notes how a write changes a secret, for the checks at the end of the write.
import { specOf } from '../../resources/typed.ts'
import type { PreparedSecret } from './prepared-secret.ts'
import type { SetEntry } from '../../secrets/visible.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { changesRule } from './disclosure.ts'

const samePlace = (a: SetEntry, b: SetEntry): boolean =>
  a.scope === b.scope && a.stagelet === b.stagelet

/** `current` is the secret before the write. */
export const noteSecretChange = (
  session: WriteSession,
  { object, version, before, project }: PreparedSecret,
  current: StoredRow | undefined,
): void => {
  if (version === undefined) {
    const spec = specOf('StagelySecret', object)
    const rules = before?.references !== undefined && spec.format !== undefined
    if (rules && changesRule(spec, current))
      session.secretChanges.push({ project, entry: before, why: 'rule' })
    return
  }
  const { entry, origin } = version
  const stays = before === undefined || samePlace(before, entry)
  const literal = (entry.references ?? []).length === 0
  const why = origin === 'plain' && stays && literal ? 'plain' : 'other'
  session.secretChanges.push({ project, entry, why })
  if (before !== undefined) session.secretChanges.push({ project, entry: before, why })
}
