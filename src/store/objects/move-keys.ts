// Moves a project to another key.
import { refOf, type KubeObject } from '../../resources/meta.ts'
import { createDataKey, wrapDigestKey } from '../../secrets/project-keys.ts'
import { loadProject } from '../secrets/projects.ts'
import type { WriteSession } from '../core/write-session.ts'
import { keyProviderOf, wantedRing } from '../secrets/project-ring.ts'
import { beginRotation } from '../secrets/key-rotations.ts'

/**
 * Where the spec of a project names another key: makes a new data key that this key wraps, and wraps the digest key with it.
 * From this write on the old data key seals nothing. A rotation of data keys seals the stored values with the new one.
 */
export const moveProjectKeys = async (session: WriteSession, object: KubeObject): Promise<void> => {
  const ring = wantedRing(session, object)
  const project = await loadProject(session, refOf(object))
  if (project === undefined) return
  const { uid, digestKey } = project
  const name = keyProviderOf(object)
  const made = session.deferred.result(
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
    id,
    projectUid: uid,
    provider,
    providerKeyId,
    wrapped,
    at: session.nowMs,
  })
  project.row = {
    ...project.row,
    keyProvider: name,
    digestKey: made.digestKey,
    dataKey: { id, wrapped },
  }
  project.dataKey = await session.deps.keys.dataKey(uid, id, wrapped)
  project.changed = true
  const detail = { provider: ring.name, key: ring.keyId }
  session.audit(refOf(object), { action: 'move keys', detail })
  // While another rotation runs, this one begins after its end.
  if (!session.isDry) await beginRotation(session, { kind: 'data', projectUid: uid })
}
