// Brings a deleted secret back under its old id, so that its history goes on.
import { defined } from '../../kernel/defined.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { annotations, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import type { RotationStatus } from '../../kinds/rotation/schema.ts'
import { specOf, statusOf } from '../../kinds/typed.ts'
import { audienceOf } from '../../secrets/place.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { untestedAgain } from '../../rollout/restored.ts'
import { createInSession } from '../objects/objects.ts'
import { setStatus } from '../objects/status-writes.ts'
import type { ProjectState } from '../core/project-state.ts'
import { lastVersion } from '../secrets/secret-versions.ts'
import type { WriteSession } from '../core/write-session.ts'
import { takeDeleted } from '../secrets/deleted-secrets.ts'
import { followedBy, followedValue } from '../secrets/followers.ts'
import { rotatedBy } from './new-value.ts'
import { requireProjectState } from '../secrets/projects.ts'
import { checkVersion } from '../places/version-places.ts'
import { openVersion, type OpenedVersion } from './versions.ts'

/** The spec fields that say where a version goes. */
const placeSpec = (entry: ProjectEntry): Record<string, unknown> => ({
  scope: entry.scope,
  type: entry.type,
  ...audienceOf(entry),
  ...defined({ file: entry.file, references: entry.references && true }),
})

const withoutPlace = (spec: Record<string, unknown> = {}): Record<string, unknown> => {
  const place = ['scope', 'type', 'stageletRef', 'environments', 'file', 'audience']
  return Object.fromEntries(Object.entries(spec).filter(([field]) => !place.includes(field)))
}

/** The secret as a template, and plain, only where the old version was. */
export const asWritten = (
  { references, plain }: Partial<Pick<OpenedVersion, 'references' | 'plain'>>,
  given: KubeObject,
): KubeObject => {
  // A version that was masked comes back masked. One that was plain does not make its secret plain again.
  const { visibility, ...masked } = given.spec ?? {}
  const isHidden = visibility === 'Plain' && plain !== true
  const secret = isHidden ? { ...given, spec: masked } : given
  const { references: isTemplate, ...others } = secret.spec ?? {}
  if ((references !== undefined) === (isTemplate === true)) return secret
  return { ...secret, spec: references === undefined ? others : { ...others, references: true } }
}

/** The secret at the place of an old version. A secret that follows another one is no template. */
export const atPlaceOf = (entry: ProjectEntry, secret: KubeObject): KubeObject => {
  const { references, ...literal } = entry
  const spec = { ...withoutPlace(secret.spec), ...placeSpec(literal) }
  const follows = followedBy(secret) !== undefined
  const { plain } = entry
  return asWritten(defined({ references: follows ? undefined : references, plain }), {
    ...secret,
    spec,
  })
}

/** The least that is known of a deleted secret that is not kept any more. */
const bareObject = (project: ProjectState, entry: ProjectEntry): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'StagelySecret',
  metadata: { name: entry.name, namespace: project.ref.namespace },
  spec: { projectRef: { name: project.ref.name }, key: entry.key },
})

/**
 * Creates the secret anew with its old id, as its next version: with the value of `opened`, or what the
 * secret that it follows has by now.
 */
export const recreate = async (
  session: WriteSession,
  project: ProjectState,
  opened: OpenedVersion,
): Promise<KubeObject> => {
  const old = (await takeDeleted(session, project, opened.secretId)) ?? bareObject(project, opened)
  const { labels, annotations: notes, name } = old.metadata
  const { [annotations.source]: _, ...kept } = notes ?? {}
  const shown = Object.keys(kept).length === 0 ? undefined : kept
  const { namespace } = project.ref
  const metadata = { name, namespace, ...defined({ labels, annotations: shown }) }
  const object = atPlaceOf(opened, { ...old, metadata })
  const followed = await followedValue(session, project, object)
  const { value, since } = followed ?? opened
  const { plain, made, drawn, wasPlain } = opened
  // The last version was checked when the secret was written; an older one may never have been.
  const isLast = opened.version === lastVersion(session, opened.secretId)
  return createInSession(session, object, {
    uid: opened.secretId,
    status: defined({ renewals: statusOf('StagelySecret', old).renewals }),
    putBack: {
      value,
      since,
      ...(followed === undefined ? { plain, made, drawn, wasPlain } : { drawn: followed.drawn }),
      origin: isLast && value.equals(opened.value) ? 'stored' : 'elsewhere',
    },
    audit: { action: 'restore', detail: { value: opened.version } },
  })
}

/** See Transaction.restoreSecret. */
export const restoreSecret = async (
  session: WriteSession,
  ref: ObjectRef,
  secretUid: string,
): Promise<KubeObject> => {
  const project = await requireProjectState(session, ref)
  const [last] = await session.tx.query<{ version: number | null }>(
    `SELECT max(v.version) AS version FROM secret_versions v JOIN deleted_secrets d USING (secret_uid)
     WHERE d.secret_uid = $1 AND d.project_uid = $2`,
    [secretUid, project.uid],
  )
  const version = last?.version ?? undefined
  if (version === undefined) {
    throw new StagelyError(
      'NotFound',
      `no deleted secret ${secretUid} waits in project "${ref.name}": its grace time is over, or it was erased`,
    )
  }
  const opened = await openVersion(session, project, { secretUid, version })
  checkVersion(session, project, opened)
  const secret = await recreate(session, project, opened)
  const rotation = rotationWith(session, secret)
  if (rotation !== undefined) setStatus(session, rotation)
  return secret
}

/** Where the Rotation has given the secret its last value, the restored version is that value. */
const withRestored = (status: RotationStatus, secret: KubeObject): RotationStatus | undefined => {
  const { output = '' } = specOf('StagelySecret', secret).valueFrom?.rotation ?? {}
  const { version = 0 } = statusOf('StagelySecret', secret)
  if (status.versions?.[output] !== version - 1) return undefined
  return { ...status, versions: { ...status.versions, [output]: version } }
}

/**
 * The Rotation of a restored secret, with the restored version in its status. It has to test the credential of a backup
 * again: the credential may have ended while the secret was deleted.
 */
const rotationWith = (session: WriteSession, secret: KubeObject): KubeObject | undefined => {
  const name = rotatedBy(secret)
  const { namespace = '' } = secret.metadata
  if (name === undefined) return undefined
  const rotation = session.fetch({ kind: 'Rotation', namespace, name })?.object
  if (rotation === undefined) return undefined
  const before = statusOf('Rotation', rotation)
  const restored = withRestored(before, secret)
  const status = untestedAgain(restored ?? before, session.now) ?? restored
  return status && { ...rotation, status }
}
