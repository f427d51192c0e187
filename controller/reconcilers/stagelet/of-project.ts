// What is known of a stagelet in numbers of revisions, as far as these are revisions of the Project that it
// names now. One that it has moved from, or that was made anew, has revisions of the same numbers: pure.
import type { ObservationSpec } from '../../../src/resources/observation.ts'
import type { StageletStatus } from '../../../src/resources/stagelet.ts'

const withoutRevision = <T extends { readonly revision?: number | undefined }>({
  revision: _,
  ...rest
}: T): Omit<T, 'revision'> => rest

const isOfOther = (status: StageletStatus | undefined, projectUid: string): boolean =>
  status?.project !== undefined && status.project.uid !== projectUid

/** Without the revisions of another project. Its turn may be one of this project already. */
export const inProject = <T extends { readonly status?: StageletStatus }>(
  stagelet: T,
  projectUid: string,
): T => {
  const { status } = stagelet
  if (status === undefined || !isOfOther(status, projectUid)) return stagelet
  const { wantedRevision: _w, healthyRevision: _h, runningRevision: _r, ...known } = status
  const { quarantine: _q, lastRollout: _l, admitted, services, lastSeen, ...kept } = known
  const own = {
    ...kept,
    ...(admitted?.project === projectUid ? { admitted } : {}),
    ...(lastSeen === undefined ? {} : { lastSeen: withoutRevision(lastSeen) }),
    ...(services === undefined
      ? {}
      : {
          services: services.map(({ lastSeen: seen, ...service }) => ({
            ...withoutRevision(service),
            ...(seen === undefined ? {} : { lastSeen: withoutRevision(seen) }),
          })),
        }),
  }
  return { ...stagelet, status: own }
}

/** What the agent was told last, where that is a revision of another project. */
export const toldOfOther = (
  { status }: { readonly status?: StageletStatus },
  projectUid: string,
): number | undefined => (isOfOther(status, projectUid) ? status?.wantedRevision : undefined)

/** These phases are of no revision. */
const staying: readonly ObservationSpec['phase'][] = ['Paused', 'Released']

/** A report on another project says what runs, and that the agent has taken nothing of this one yet. */
export const reportInProject = (
  report: ObservationSpec | undefined,
  projectUid: string,
): ObservationSpec | undefined => {
  if (report?.projectUid === undefined || report.projectUid === projectUid) return report
  const { quarantine: _q, rollout: _r, phase, ...seen } = report
  return { ...seen, epoch: 0, revision: 0, phase: staying.includes(phase) ? phase : 'Pending' }
}
