// PUT and PATCH of `/status`: only `status` counts. As in Kubernetes, other parts of the body are
// ignored.
import { toTimestamp } from '../../../src/kernel/clock.ts'
import type { KubeObject, ManagedFieldsEntry } from '../../../src/resources/meta.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
import { decodeStatus } from '../../../src/kinds/decode.ts'
import { actorOf, type AppContext } from '../env.ts'
import { answerObject } from './answer.ts'
import { mergeConfiguration, readConfiguration } from './patches/apply.ts'
import { readObject, readPatch } from './body.ts'
import {
  asAnswered,
  atPath,
  checkFields,
  fieldCheckOf,
  metadataOf,
  requireVersion,
  type FieldCheck,
} from './decode.ts'
import { writeOptionsOf } from './params.ts'
import { getOrThrow, refOfPath } from './read.ts'
import { kubeConflict, kubeInvalid } from './status.ts'
import { managedAfterUpdate, whoOf } from './tracking.ts'
import type { Wire } from './wire-form.ts'
import { checkPatchOptions, patched, type Handler, type KubeWriteDeps } from './write.ts'

interface StatusChange {
  /** The body, or the object with the patch applied. */
  readonly input: Wire
  /** Owners of the fields, when the request sets them. */
  readonly managedFields?: ManagedFieldsEntry[]
}

const writeStatus = async (
  c: AppContext,
  kind: Kind,
  {
    deps,
    check,
    change,
  }: { deps: KubeWriteDeps; check: FieldCheck; change: (current: KubeObject) => StatusChange },
): Promise<Response> => {
  const options = writeOptionsOf(c)
  const who = whoOf(c, kind, 'status')
  const now = deps.clock.now()
  const stored = await deps.store.write(actorOf(c), options, async (tx) => {
    const current = await getOrThrow(tx, kind, refOfPath(c, kind))
    const { input, managedFields } = change(current)
    const version = metadataOf(input)['resourceVersion'] ?? ''
    if (version !== '' && version !== current.metadata.resourceVersion)
      throw kubeConflict(kind, current.metadata.name)
    const { value, faults, unknown } = decodeStatus(kind, input['status'])
    checkFields(c, kind, unknown, check)
    if (value === undefined) throw kubeInvalid(kind, current.metadata.name, faults)
    const after = { ...current, status: value }
    const managed =
      managedFields ??
      managedAfterUpdate(kind, { who, before: current, after, now: toTimestamp(now) })
    const object = await tx.setStatus(after, { managedFields: managed })
    return asAnswered(options, object, current)
  })
  return answerObject(c, kind, stored, deps)
}

export const serveReplaceStatus =
  (deps: KubeWriteDeps, kind: Kind): Handler =>
  async (c) => {
    const body = await readObject(c)
    const input = atPath(c, kind, body.content)
    const check = fieldCheckOf(c, body)
    const change = (): StatusChange => {
      requireVersion(kind, input)
      return { input }
    }
    return writeStatus(c, kind, { deps, check, change })
  }

export const servePatchStatus =
  (deps: KubeWriteDeps, kind: Kind): Handler =>
  async (c) => {
    const patch = await readPatch(c, kind)
    checkPatchOptions(c, patch)
    const check = fieldCheckOf(c, patch)
    if (patch.type !== 'apply') {
      const change = (current: KubeObject): StatusChange => ({ input: patched(current, patch) })
      return writeStatus(c, kind, { deps, check, change })
    }
    const config = readConfiguration(c, kind, patch.content)
    const now = deps.clock.now()
    const change = (current: KubeObject): StatusChange => {
      const how = { current, config, subresource: 'status' as const, now }
      const { part, managedFields } = mergeConfiguration(c, kind, how)
      return { input: { ...part, metadata: metadataOf(config) }, managedFields }
    }
    return writeStatus(c, kind, { deps, check, change })
  }
