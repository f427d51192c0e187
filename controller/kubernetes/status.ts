// Converts the stored status to the status in the cluster. Pure.
import {
  statusConditions,
  withCondition,
  type Condition,
  type NewCondition,
} from '../../src/resources/conditions.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { origin } from './store-object.ts'

type Status = Record<string, unknown>

/**
 * Each side counts its own generations. A status of the newest stored generation is a status of the
 * cluster's generation from which the stored object was made.
 */
const generationIn = (stored: KubeObject, judged: number): number => {
  const carried = Number(stored.metadata.annotations?.[origin.generation] ?? 1)
  return judged >= (stored.metadata.generation ?? 1) ? carried : Math.max(1, carried - 1)
}

/** The status for the cluster. `refused`: why the newest spec was not stored. */
export const clusterStatus = (
  stored: KubeObject | undefined,
  shown: Status | undefined,
  refused: NewCondition | undefined,
  now: string,
): Status | undefined => {
  const status =
    stored === undefined ? (refused === undefined ? undefined : (shown ?? {})) : translated(stored)
  if (refused === undefined) return status
  const conditions = statusConditions({ status })
  // An unchanged condition keeps its time.
  const old = statusConditions({ status: shown }).filter((c) => c.type === refused.type)
  const others = conditions.filter((c) => c.type !== refused.type)
  return { ...status, conditions: [...others, ...withCondition(old, refused, now)] }
}

const translated = (stored: KubeObject): Status | undefined => {
  const { status } = stored
  if (status === undefined) return undefined
  const { observedGeneration, conditions } = status as {
    observedGeneration?: number
    conditions?: Condition[]
  }
  return {
    ...status,
    ...(observedGeneration !== undefined && {
      observedGeneration: generationIn(stored, observedGeneration),
    }),
    ...(conditions !== undefined && {
      conditions: conditions.map((condition) =>
        condition.observedGeneration === undefined
          ? condition
          : {
              ...condition,
              observedGeneration: generationIn(stored, condition.observedGeneration),
            },
      ),
    }),
  }
}
