// JSON merge patches (RFC 7396), two-way and three-way. Used by the CLI's apply and by the review of a
// change set, so that the review shows exactly what the apply does.
import { sameJson } from '../kernel/same-json.ts'
import { tryParseJson } from '../kernel/record.ts'
import { withoutSecretFields } from '../kinds/secret/last-applied.ts'
import { annotations, type KubeObject } from '../resources/meta.ts'

type Json = Record<string, unknown>

const isMap = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `target` with `patch` merged in: null removes a field, maps are merged, everything else replaces. */
export const applyMergePatch = (target: unknown, patch: unknown): unknown => {
  if (!isMap(patch)) return patch
  const result = new Map(Object.entries(isMap(target) ? target : {}))
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key)
    else result.set(key, applyMergePatch(result.get(key), value))
  }
  return Object.fromEntries(result)
}

/**
 * The patch that changes `current` to `wanted`. Removes fields that are in `before` (the last applied
 * manifest) and not in `wanted`. Keeps fields that are only in `current`: somebody else set them.
 */
export const threeWayPatch = (before: unknown, wanted: Json, current: unknown): Json => {
  const old = isMap(before) ? before : {}
  const live = isMap(current) ? current : {}
  const patch: Json = {}
  for (const [key, value] of Object.entries(wanted)) {
    // A null in a manifest removes the field, as in a merge patch.
    if (value === null) {
      if (key in live) patch[key] = null
    } else if (isMap(value) && isMap(live[key])) {
      const inner = threeWayPatch(old[key], value, live[key])
      if (Object.keys(inner).length > 0) patch[key] = inner
    } else if (!sameJson(value, live[key])) {
      patch[key] = isMap(value) ? withoutNulls(value) : value
    }
  }
  for (const key of Object.keys(old)) {
    if (!(key in wanted) && key in live) patch[key] = null
  }
  return patch
}

const withoutNulls = (value: Json): Json =>
  Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, isMap(inner) ? withoutNulls(inner) : inner]),
  )

/**
 * The manifest as text for the last-applied annotation: without that annotation, status, and secret
 * values.
 */
export const lastAppliedOf = (manifest: KubeObject): string => {
  const { status: _status, ...object } = structuredClone(manifest)
  delete object.metadata.annotations?.[annotations.lastApplied]
  const kept = object.kind === 'StagelySecret' ? withoutSecretFields({ ...object }) : object
  return `${JSON.stringify(kept)}\n`
}

/** The manifest as it is sent: without status, with the last-applied annotation. */
export const withLastApplied = (manifest: KubeObject): KubeObject => {
  const { status: _status, ...object } = structuredClone(manifest)
  const lastApplied = lastAppliedOf(manifest)
  object.metadata.annotations = {
    ...object.metadata.annotations,
    [annotations.lastApplied]: lastApplied,
  }
  return object
}

/** The patch that an apply of `manifest` sends for the live object; {} when nothing changes. */
export const applyPatch = (manifest: KubeObject, live: KubeObject): Json => {
  const text = live.metadata.annotations?.[annotations.lastApplied]
  const wanted = withLastApplied(manifest) as unknown as Json
  return threeWayPatch(tryParseJson(text ?? ''), wanted, live)
}
