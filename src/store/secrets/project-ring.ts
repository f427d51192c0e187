// The key that wraps the keys of a project: the key that its spec names, or the master key.
import { StagelyError } from '../../kernel/errors.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import { specOf } from '../../kinds/typed.ts'
import type { KeyRing } from '../../secrets/key-ring.ts'
import { invalidObject } from '../core/errors.ts'
import type { ProjectState } from '../core/project-state.ts'
import type { WriteSession } from '../core/write-session.ts'

/** The key with this name. ServiceUnavailable where this controller is not configured with it. */
export const ringOf = (provider: KeyRing, name: string | undefined, what: string): KeyRing => {
  const ring = provider.ringOf(name)
  if (ring !== undefined) return ring
  throw new StagelyError(
    'ServiceUnavailable',
    `the key "${name ?? ''}" of ${what} is not configured here: name it in STAGELY_KEY_PROVIDERS_FILE of every controller`,
    { retryAfterSeconds: 60 },
  )
}

export const keyProviderOf = (project: KubeObject): string | undefined =>
  specOf('Project', project)?.keyProvider

const describe = ({ namespace, name }: ObjectRef): string => `project ${namespace}/${name}`

export const projectRing = (
  { deps }: WriteSession,
  { row, ref }: Pick<ProjectState, 'row' | 'ref'>,
): KeyRing => ringOf(deps.provider, row.keyProvider, describe(ref))

/** KeyRing.confirm() for a write: the answer of a key service is waited for outside of the write. */
export const confirmRing = ({ deferred }: WriteSession, ring: KeyRing): Promise<void> =>
  deferred.answer(`confirm ${ring.keyId}`, () => (ring.isConfirmed ? undefined : ring.confirm()))

/** The key that a written project names. Invalid, with the known names, for one that its team may not use. */
export const wantedRing = ({ deps }: WriteSession, object: KubeObject): KeyRing => {
  const name = keyProviderOf(object)
  const { namespace } = refOf(object)
  const allowed = deps.provider.projectKeys
    .filter(({ teams }) => teams?.includes(namespace) ?? true)
    .map((key) => key.name)
  const ring = deps.provider.ringOf(name)
  if (ring !== undefined && (name === undefined || allowed.includes(name))) return ring
  const allowedText =
    allowed.length === 0
      ? 'this controller is configured with no key for projects of this team'
      : `known are ${allowed.join(', ')}`
  const message = `Invalid value: "${name ?? ''}": no such key provider; ${allowedText}: see STAGELY_KEY_PROVIDERS_FILE`
  throw invalidObject(refOf(object), [
    { field: 'spec.keyProvider', reason: 'FieldValueInvalid', message },
  ])
}
