// Each secret of an earlier revision or of now, with both. Pure.
import type { ProjectEntry } from '../../../src/secrets/set-entry.ts'
import type { Secret } from '../../../src/generated/rest-types.ts'
import { isSamePlace } from '../../../src/secrets/place.ts'
import { asSecret, type ProjectPlace, type ProjectSecrets } from '../project/data.ts'
import type { Filterable } from './filter/filter.ts'

export interface ThenRow extends Filterable {
  readonly was: ProjectEntry | undefined
  readonly current: ProjectEntry | undefined
  readonly word: 'same' | 'different' | 'moved' | 'gone' | 'new'
  readonly differs: boolean
}

const wordOf = (
  was: ProjectEntry | undefined,
  current: ProjectEntry | undefined,
): ThenRow['word'] => {
  if (was === undefined) return 'new'
  if (current === undefined) return 'gone'
  if (!isSamePlace(was, current)) return 'moved'
  return was.version === current.version ? 'same' : 'different'
}

export const thenRows = (
  { then, matrix, secrets }: Pick<ProjectSecrets, 'then' | 'matrix' | 'secrets'>,
  place: ProjectPlace,
): ThenRow[] => {
  if (then === undefined) return []
  const byId = new Map(secrets.map((secret) => [secret.id, secret]))
  const goneSecret = ({ stagelet, ...was }: ProjectEntry): Secret =>
    asSecret(
      { id: 0, op: 'create', key: was.key, scope: was.scope, type: was.type, stagelet },
      place,
    )
  return [...then.keys()].sort().flatMap((key) => {
    const before = new Map(then.of(key).map((entry) => [entry.secretId, entry]))
    const now = new Map(matrix.head.of(key).map((entry) => [entry.secretId, entry]))
    return [...new Set([...before.keys(), ...now.keys()])].map((id): ThenRow => {
      const [was, current] = [before.get(id), now.get(id)]
      const word = wordOf(was, current)
      const secret = byId.get(id) ?? goneSecret((was ?? current)!)
      return {
        id,
        secret,
        was,
        current,
        word,
        differs: word !== 'same',
        isStaged: false,
        get runs() {
          return matrix.runsOf(secret)
        },
      }
    })
  })
}
