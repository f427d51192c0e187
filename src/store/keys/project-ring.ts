// Which key wraps the keys of a project: the one that its spec names, or the master key.
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import type { ProjectSpec } from '../../resources/project.ts'
import type { KeyRing } from '../../secrets/key-ring.ts'
import { createDataKey, wrapDigestKey } from '../../secrets/project-keys.ts'
import { invalid } from '../errors.ts'
import { loadProject, type ProjectState } from '../projects.ts'
import type { WriteSession } from '../session.ts'
import { ringOf } from './ring-of.ts'
import { beginRotation } from './rotations.ts'

export const keyProviderOf = ({ spec }: KubeObject): string | undefined =>
  (spec as ProjectSpec | undefined)?.keyProvider

const describe = ({ namespace, name }: ObjectRef): string => `project ${namespace}/${name}`

export const projectRing = (
  { deps }: WriteSession,
  { row, ref }: Pick<ProjectState, 'row' | 'ref'>,
): KeyRing => ringOf(deps.provider, row.keyProvider, describe(ref))

/** See KeyRing.confirm: for a write, which gives way to others while the key service thinks. */
export const confirmRing = ({ preparations }: WriteSession, ring: KeyRing): Promise<void> =>
  preparations.soon(`confirm ${ring.keyId}`, () => ring.confirm())

/** Of a project that is written. Invalid, naming what there is, for a name that its team may not use. */
export const wantedRing = ({ deps }: WriteSession, object: KubeObject): KeyRing => {
  const name = keyProviderOf(object)
  const { namespace } = refOf(object)
  const allowed = deps.provider.projectKeys
    .filter(({ teams }) => teams?.includes(namespace) ?? true)
    .map((key) => key.name)
  const ring = deps.provider.of(name)
  if (ring !== undefined && (name === undefined || allowed.includes(name))) return ring
  const known =
    allowed.length === 0
      ? 'this controller is configured with no key for projects of this team'
      : `known are ${allowed.join(', ')}`
  const message = `Invalid value: "${name ?? ''}": no such key provider; ${known}: see STAGELY_KEY_PROVIDERS_FILE`
  throw invalid(refOf(object), [
    { field: 'spec.keyProvider', reason: 'FieldValueInvalid', message },
  ])
}

/**
 * A project whose spec names another key than before gets a new data key under it, and its digest
 * key wrapped anew. From this write on nothing is sealed by what the old key wraps; a rotation of
 * data keys seals the rest anew.
 */
export const moveProjectKeys = async (session: WriteSession, object: KubeObject): Promise<void> => {
  const ring = wantedRing(session, object)
  const project = await loadProject(session, refOf(object))
  if (project === undefined) return
  const { uid, digestKey } = project
  const name = keyProviderOf(object)
  const made = session.preparations.take(
    `keys of ${uid} by ${name ?? 'the master key'}`,
    async () => {
      await ring.confirm()
      const dataKey = await createDataKey(ring, uid)
      return { dataKey, digestKey: await wrapDigestKey(ring, uid, digestKey) }
    },
  )
  const { id, wrapped } = made.dataKey
  const { name: provider, keyId: providerKeyId } = ring
  session.changes.keys.push({
    ...{ id, projectUid: uid, provider, providerKeyId },
    wrapped,
    at: session.nowMs,
  })
  project.row = {
    ...project.row,
    ...{ keyProvider: name, digestKey: made.digestKey, dataKey: { id, wrapped } },
  }
  project.dataKey = await session.deps.keys.dataKey(uid, id, wrapped)
  project.changed = true
  const detail = { provider: ring.name, key: ring.keyId }
  session.audit(refOf(object), { action: 'move keys', detail })
  // While another runs, the rest is begun when that has ended.
  if (!session.isDry) await beginRotation(session, { kind: 'data', projectUid: uid })
}
