// What follows when a grant that was used has ended: the values that were read are changed, or say that they are due.
import { refOf, type KubeObject } from '../../resources/meta.ts'
import type { RequestedSecret } from '../../kinds/access-request/schema.ts'
import { specOf, statusOf } from '../../kinds/typed.ts'
import type { WriteSession } from '../core/write-session.ts'
import { setStatus } from './status-writes.ts'

interface Followed {
  readonly name: string
  readonly action: 'Rotating' | 'Due' | 'Changed'
  readonly rotation?: string
}

const rotationOf = (session: WriteSession, secret: KubeObject): KubeObject | undefined => {
  const { namespace } = refOf(secret)
  const name = specOf('StagelySecret', secret).valueFrom?.rotation?.name
  const row = name === undefined ? undefined : session.fetch({ kind: 'Rotation', namespace, name })
  return row && specOf('Rotation', row.object).paused !== true ? row.object : undefined
}

const startRotation = (session: WriteSession, rotation: KubeObject, request: string): void => {
  const { status } = rotation
  // Somebody has asked already.
  if (status?.['request'] !== undefined) return
  const asked = { at: session.now, by: `AccessRequest ${request}`, cause: 'Revealed' as const }
  setStatus(session, { ...rotation, status: { ...status, request: asked } })
}

const follow = (
  session: WriteSession,
  { namespace, name: request }: ReturnType<typeof refOf>,
  {
    read,
    lastUsedAt,
    rotates,
  }: {
    readonly read: RequestedSecret
    readonly lastUsedAt: string
    readonly rotates: boolean
  },
): Followed => {
  const { name, uid } = read
  const row = session.fetch({ kind: 'StagelySecret', namespace, name })
  if (row?.uid !== uid) return { name, action: 'Changed' }
  const secret = row.object
  const { valueSince = '', updatedAt = '' } = statusOf('StagelySecret', secret)
  if ((valueSince || updatedAt) > lastUsedAt) return { name, action: 'Changed' }
  const rotation = rotates ? rotationOf(session, secret) : undefined
  if (rotation !== undefined) {
    startRotation(session, rotation, request)
    return { name, action: 'Rotating', rotation: rotation.metadata.name }
  }
  const readBy = { request, at: lastUsedAt }
  setStatus(session, { ...secret, status: { ...secret.status, readBy } })
  return { name, action: 'Due' }
}

/** `rotates`: Rotations are started, where there are some. */
export const afterUse = (
  session: WriteSession,
  request: KubeObject,
  { rotates }: { readonly rotates: boolean },
): KubeObject => {
  const { read = [], lastUsedAt } = statusOf('AccessRequest', request)
  if (lastUsedAt === undefined || read.length === 0) return request
  const after = read.map((secret) =>
    follow(session, refOf(request), { read: secret, lastUsedAt, rotates }),
  )
  return { ...request, status: { ...request.status, after } }
}
