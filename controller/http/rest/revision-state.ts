// Where a stagelet stands with one revision of its project, as its agent has reported it last: pure.
import { defined } from '../../../src/kernel/defined.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { StageletSpec, StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import type { revisionStates } from '../../../src/audit/receipt-schema.ts'
import { idOf } from './ids.ts'

export type StageletWithStatus = KubeObject<StageletSpec, StageletStatus>

interface StateAtRevision {
  readonly id: string
  readonly name: string
  readonly state: (typeof revisionStates)[number]
  /** RFC 3339. */
  readonly since?: string
}

const newest = (times: readonly (string | undefined)[]): string | undefined =>
  times
    .filter((time) => time !== undefined)
    .sort((a, b) => Date.parse(a) - Date.parse(b))
    .at(-1)

export const stateAt = (stagelet: StageletWithStatus, revision: number): StateAtRevision => {
  const { status = {}, metadata } = stagelet
  const tell = (state: StateAtRevision['state'], since?: string): StateAtRevision => ({
    id: idOf(stagelet),
    name: metadata.name,
    state,
    ...defined({ since }),
  })
  const { services = [], quarantine = [], runningRevision, lastRollout, lastSeen } = status
  const isUnseen = findCondition(status.conditions, 'SecretsInSync')?.status === 'Unknown'
  if (isUnseen) return tell('unknown', lastSeen?.at)
  if (runningRevision === revision)
    return tell('running', newest(services.map(({ since }) => since)))
  if (quarantine.some((failed) => failed.revision === revision))
    return tell('failed', lastRollout?.revision === revision ? lastRollout.finishedAt : undefined)
  if (runningRevision === undefined) return tell(services.length === 0 ? 'unknown' : 'behind')
  return tell(runningRevision > revision ? 'newer' : 'behind')
}
