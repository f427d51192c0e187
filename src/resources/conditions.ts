// Status conditions by the Kubernetes API conventions.
import type { KubeObject } from './meta.ts'

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason: string
  message: string
  lastTransitionTime: string
  observedGeneration?: number | undefined
}

export type NewCondition = Omit<Condition, 'lastTransitionTime'>

/** A condition by itself, before it is set of an object. */
export type Verdict = Omit<NewCondition, 'type' | 'observedGeneration'>

/** Puts `next` in place of the condition of the same type. */
const put = (conditions: Condition[], next: NewCondition, now: string): void => {
  const index = conditions.findIndex((c) => c.type === next.type)
  const old = conditions[index]
  const same =
    old !== undefined &&
    old.status === next.status &&
    old.reason === next.reason &&
    old.message === next.message &&
    old.observedGeneration === next.observedGeneration
  if (same) return
  const lastTransitionTime = old?.status === next.status ? old.lastTransitionTime : now
  conditions[old === undefined ? conditions.length : index] = { ...next, lastTransitionTime }
}

/**
 * The list with `next` in place of the condition of the same type. `lastTransitionTime` changes only
 * with the status. The input is not changed; an equal condition stays the same object.
 */
export const withCondition = (
  conditions: readonly Condition[],
  next: NewCondition,
  now: string,
): Condition[] => {
  const all = [...conditions]
  put(all, next, now)
  return all
}

/**
 * With one condition for each of these, as the controller sets them of an object of this generation, or of the one that
 * a condition names itself.
 */
export const withConditions = (
  conditions: readonly Condition[] | undefined,
  next: Readonly<Record<string, Omit<NewCondition, 'type'>>>,
  { generation, now }: { generation: number | undefined; now: string },
): Condition[] => {
  const all = [...(conditions ?? [])]
  for (const type in next) put(all, { type, observedGeneration: generation, ...next[type]! }, now)
  return all
}

/** The conditions of an object of any kind. */
export const statusConditions = ({
  status,
}: {
  readonly status?: Record<string, unknown> | undefined
}): Condition[] => (status?.['conditions'] ?? []) as Condition[]

export const findCondition = (
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined => conditions?.find((c) => c.type === type)

export const isTrue = (conditions: readonly Condition[] | undefined, type: string): boolean =>
  findCondition(conditions, type)?.status === 'True'

/**
 * The condition of this type; undefined when the status was computed for an older generation of the
 * spec, so that the condition says nothing about the current one.
 */
export const currentCondition = (object: KubeObject, type: string): Condition | undefined => {
  const status = object.status as
    { conditions?: Condition[]; observedGeneration?: number } | undefined
  const lower = type.toLowerCase()
  const condition = status?.conditions?.find((c) => c.type.toLowerCase() === lower)
  const judged = condition?.observedGeneration ?? status?.observedGeneration
  const generation = object.metadata.generation ?? 0
  return judged !== undefined && judged < generation ? undefined : condition
}
