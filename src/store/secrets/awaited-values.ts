// Templates that refer to awaited values, such as outputs of a Rotation that has not run yet. The template is kept, sealed. It
// becomes the value of its secret in the write that gives the last awaited value. Until then the secret keeps its old value.
// See ADR 0026.
import { refOf, type KubeObject } from '../../resources/meta.ts'
import { specOf, statusOf } from '../../kinds/typed.ts'
import { open } from '../../secrets/aead.ts'
import { environmentSet } from '../../secrets/environment-set.ts'
import { reaches, secretPlaceOf, sees, stageletOf, type Viewer } from '../../secrets/place.ts'
import { targetOf } from '../../secrets/references.ts'
import { winnersFor } from '../../secrets/set-entry.ts'
import { createPresence } from './presence.ts'
import { layoutIn } from './projects.ts'
import { invalidObject } from '../core/errors.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import type { ProjectState } from '../core/project-state.ts'
import { dropStaged, stageCredential, stagedAad, type StagedPlace } from './staged-values.ts'
import type { WriteSession } from '../core/write-session.ts'
import { term } from '../state/rows.ts'

/** The value will come: from a Rotation, a store, or a secret that this one follows or refers to. */
const isToCome = (object: KubeObject): boolean => {
  const { rotation, external, secretRef } = specOf('StagelySecret', object).valueFrom ?? {}
  const { version, awaits } = statusOf('StagelySecret', object)
  const hasGiver = (rotation ?? external ?? secretRef) !== undefined || awaits !== undefined
  return version === undefined && hasGiver
}

/** The references of a template that lead to awaited values. Invalid where other references lead nowhere. */
export const referencesToCome = (
  session: WriteSession,
  object: KubeObject,
  references: readonly string[],
): string[] => {
  const own = specOf('StagelySecret', object)
  const place = projectRefOf(object)
  const layout = layoutIn(session, place)
  const isThere = createPresence(session, { ref: place, layout })
  const named = own.environments?.map((environment) => ({ environment }))
  const lookUp = (reference: string): 'there' | 'toCome' | 'nowhere' => {
    const { scope, key } = targetOf(own, reference)
    const rows = session.select(term.secretsWithKey(place, key))
    const lookUpFor = (viewer: Viewer): 'there' | 'toCome' | 'nowhere' => {
      const fitting = rows.filter((row) =>
        sees(
          secretPlaceOf(specOf('StagelySecret', row.object)),
          { stagelet: viewer, service: scope },
          layout,
        ),
      )
      const entries = fitting.flatMap(({ uid }) => session.head(uid) ?? [])
      const set = environmentSet({ entries, layout }, viewer)
      if (winnersFor(scope, stageletOf(viewer), set).has(key)) return 'there'
      return fitting.some((row) => isToCome(row.object)) ? 'toCome' : 'nowhere'
    }
    const others = [
      ...rows.flatMap(({ object }) => specOf('StagelySecret', object).environments ?? []),
      ...layout.stagelets.values(),
    ]
    const viewers: readonly Viewer[] = own.stageletRef
      ? [own.stageletRef.name]
      : (named ?? [
          undefined,
          ...[...new Set(others)]
            .filter((environment) => reaches({}, { environment }, layout))
            .map((environment) => ({ environment })),
        ])
    const states = viewers.map((viewer) => ({ viewer, state: lookUpFor(viewer) }))
    const lost = states.filter(({ state }) => state === 'nowhere')
    // As references are judged at the end: where nobody is, it is enough that they lead somewhere for others.
    const isLost = lost.some(({ viewer }) => named !== undefined || isThere(viewer))
    if (isLost || lost.length === states.length) return 'nowhere'
    return states.some(({ state }) => state === 'toCome') ? 'toCome' : 'there'
  }
  const found = references.map((reference) => ({ reference, state: lookUp(reference) }))
  const toCome = found.filter(({ state }) => state === 'toCome').map(({ reference }) => reference)
  const lost = found.filter(({ state }) => state === 'nowhere')
  if (toCome.length === 0 || lost.length === 0) return toCome
  throw invalidObject(
    refOf(object),
    lost.map(({ reference }) => ({
      field: 'spec.value',
      reason: 'FieldValueInvalid' as const,
      message: `Invalid value: it refers to \${${reference}}, and no secret with a value, or with one to come, has that key in its scope or "global"`,
    })),
  )
}

const placeOf = (secretUid: string): StagedPlace => ({
  rotationUid: secretUid,
  attempt: 0,
  role: 'new' as const,
})

/** Keeps the template, in place of one from before. */
export const keepTemplate = async (
  session: WriteSession,
  object: KubeObject,
  value: Buffer,
): Promise<void> => {
  if (session.isDry) return
  const { uid = '' } = object.metadata
  await dropStaged(session, uid)
  const values = { value: value.toString('base64') }
  await stageCredential(session, projectRefOf(object), placeOf(uid), { slot: undefined, values })
}

/** undefined where it was lost, as by a purge. */
export const keptTemplate = async (
  session: WriteSession,
  project: ProjectState,
  secretUid: string,
): Promise<Buffer | undefined> => {
  const [row] = await session.tx.query<{ sealed: string; id: string; wrapped: string }>(
    `SELECT s.sealed, k.id, k.wrapped FROM staged_values s JOIN data_keys k ON k.id = s.data_key_id
     WHERE s.rotation_uid = $1 AND s.output = 'value'`,
    [secretUid],
  )
  if (row === undefined) return undefined
  const key = await session.deps.keys.dataKey(project.uid, row.id, row.wrapped)
  const aad = stagedAad(project.uid, { ...placeOf(secretUid), output: 'value' })
  return Buffer.from(open(key, row.sealed, aad).toString('utf8'), 'base64')
}

/** The references that the template of a secret waits for; undefined where no template waits. */
export const awaitsOf = (secret: KubeObject): readonly string[] | undefined => {
  const { awaits } = statusOf('StagelySecret', secret)
  return specOf('StagelySecret', secret).references === true ? awaits : undefined
}
