// Drops numbers of revisions that belong to another Project than the one that the stagelet names now: revisions of
// two projects, or of one that was made anew, have the same numbers. Pure.
import { defined } from '../../../src/kernel/defined.ts'
import type { ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'

const withoutRevision = <T extends { readonly revision?: number | undefined }>({
  revision: _,
  ...rest
}: T): Omit<T, 'revision'> => rest

const isOfOther = (status: StageletStatus | undefined, projectUid: string): boolean =>
  status?.project !== undefined && status.project.uid !== projectUid

/** The stagelet without revisions of another project. Its admission may be one of this project already. */
export const inProject = <T extends { readonly status?: StageletStatus }>(
  stagelet: T,
  projectUid: string,
): T => {
  const { status } = stagelet
  if (status === undefined || !isOfOther(status, projectUid)) return stagelet
  const {
    wantedRevision: _w,
    wantedSince: _s,
    firstRevision: _f,
    healthyRevision: _h,
    healthyAgent: _a,
    runningRevision: _r,
    ...anyProject
  } = status
  const {
    quarantine: _q,
    lastRollout: _l,
    held: _held,
    admitted,
    services,
    lastSeen,
    ...kept
  } = anyProject
  const own = {
    ...kept,
    ...(admitted?.project === projectUid && { admitted }),
    ...defined({
      lastSeen: lastSeen && withoutRevision(lastSeen),
      services: services?.map(({ lastSeen: lastService, ...service }) => ({
        ...withoutRevision(service),
        ...defined({ lastSeen: lastService && withoutRevision(lastService) }),
      })),
    }),
  }
  return { ...stagelet, status: own }
}

/** The revision that the agent was told last, where it belongs to another project. */
export const toldOfOther = (
  { status }: { readonly status?: StageletStatus },
  projectUid: string,
): number | undefined => (isOfOther(status, projectUid) ? status?.wantedRevision : undefined)

/** Phases that do not depend on a revision. */
const staying: readonly ObservationSpec['phase'][] = ['Paused', 'Released']

/** From a report on another project it follows what runs, and that the agent has no revision of this project yet. */
export const reportInProject = (
  report: ObservationSpec | undefined,
  projectUid: string,
): ObservationSpec | undefined => {
  if (report?.projectUid === undefined || report.projectUid === projectUid) return report
  const { quarantine: _q, rollout: _r, phase, ...rest } = report
  return { ...rest, epoch: 0, revision: 0, phase: staying.includes(phase) ? phase : 'Pending' }
}
