// Brings a deleted secret back under its old id, so that its history goes on.
import { StagelyError } from '../../kernel/errors.ts'
import { annotations, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import type { SecretSpec } from '../../resources/stagelysecret.ts'
import { audienceOf } from '../../secrets/set-entry.ts'
import type { SetEntry } from '../../secrets/visible.ts'
import { untestedAgain } from '../../rollout/restored.ts'
import { createObject } from '../objects.ts'
import type { ProjectState } from '../projects.ts'
import { lastVersion } from '../secret-versions.ts'
import type { WriteSession } from '../session.ts'
import { unbury } from '../tombstones.ts'
import { followedBy, followedValue } from '../values/followers.ts'
import { openVersion, requireProjectState, type OpenedVersion } from './versions.ts'

/** The spec fields that say where a version goes. */
const placeSpec = (entry: SetEntry): Record<string, unknown> => ({
  scope: entry.scope,
  type: entry.type,
  ...audienceOf(entry),
  ...(entry.file === undefined ? {} : { file: entry.file }),
  ...(entry.references === undefined ? {} : { references: true }),
})

const withoutPlace = (spec: Record<string, unknown> = {}): Record<string, unknown> => {
  const { scope: _, type: __, stageletRef: ___, file: ____, audience: _____, ...others } = spec
  return others
}

/** A template comes back as one, and bytes as bytes; where the spec says the same, it stays as it is written. */
export const asWritten = (
  { references }: { readonly references?: SetEntry['references'] | undefined },
  spec: Record<string, unknown> = {},
): Record<string, unknown> => {
  if ((references !== undefined) === (spec['references'] === true)) return spec
  const { references: _, ...others } = spec
  return references === undefined ? others : { ...others, references: true }
}

/** `spec` with the place of `entry` in it. What follows another secret is no template, whatever it was. */
export const atPlaceOf = (
  entry: SetEntry,
  spec: Record<string, unknown> = {},
): Record<string, unknown> => {
  const { references, ...literal } = entry
  const follows = followedBy({ spec }) !== undefined
  return asWritten(
    { references: follows ? undefined : references },
    { ...withoutPlace(spec), ...placeSpec(literal) },
  )
}

/** What a tombstone that is gone can no longer say: only the secret itself. */
const bareObject = (project: ProjectState, entry: SetEntry): KubeObject => ({
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
  const old = await unbury(session, project, opened.secretId)
  const { labels, annotations: notes, name } = old?.metadata ?? { name: opened.name }
  const { [annotations.source]: _, ...kept } = notes ?? {}
  const object: KubeObject = {
    ...(old ?? bareObject(project, opened)),
    metadata: {
      name,
      namespace: project.ref.namespace,
      ...(labels === undefined ? {} : { labels }),
      ...(Object.keys(kept).length === 0 ? {} : { annotations: kept }),
    },
    spec: atPlaceOf(opened, (old ?? bareObject(project, opened)).spec),
  }
  const { value, since } = (await followedValue(session, project, object)) ?? {
    value: opened.value,
    since: opened.writtenAt,
  }
  // The last version had passed for what the secret was when it went.
  const isLast = opened.version === lastVersion(session, opened.secretId)
  return createObject(session, object, {
    uid: opened.secretId,
    putBack: {
      value,
      since,
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
  const [last] = await session.tx.query<{ version: number }>(
    `SELECT max(v.version) AS version FROM secret_versions v JOIN deleted_secrets d USING (secret_uid)
     WHERE d.secret_uid = $1 AND d.project_uid = $2`,
    [secretUid, project.uid],
  )
  const version = last?.version as number | null | undefined
  if (version === null || version === undefined) {
    throw new StagelyError(
      'NotFound',
      `no deleted secret ${secretUid} waits in project "${ref.name}": its grace time is over, or it was erased`,
    )
  }
  return recreate(session, project, await openVersion(session, project, { secretUid, version }))
}

/** The Rotation of a secret that is back, where nobody could ask for its credential meanwhile: that is to be tested. */
export const untestedWith = (
  session: WriteSession,
  { spec, metadata: { namespace = '' } }: KubeObject,
): KubeObject | undefined => {
  const name = (spec as SecretSpec).valueFrom?.rotation?.name
  if (name === undefined) return undefined
  const rotation = session.fetch({ kind: 'Rotation', namespace, name })?.object
  const status = rotation && untestedAgain(rotation.status ?? {}, session.now)
  return rotation && status && { ...rotation, status }
}
