// Reports of agents: checked, and stored as Observations, or not when nothing but the sequence number
// moved. An agent's reports come to any replica, and not to the one that has its stream: what was told
// before is read from the store. All that come while one write goes on share the next.
import { isDeepStrictEqual } from 'node:util'
import { gathered } from '../../../src/kernel/gathered.ts'
import { storableJson } from '../../../src/kernel/storable.ts'
import { apiVersion, type KubeObject, type ObjectRef } from '../../../src/resources/meta.ts'
import { isReportedSince, presenceOf } from '../../../src/resources/presence.ts'
import type { ObservationSpec } from '../../../src/resources/observation.ts'
import type { ReportRequest, ReportedStagelet } from '../../../src/protocol/messages.ts'
import type { Transaction } from '../../../src/store/store.ts'
import {
  agentKeyOf,
  agentRefOf,
  system,
  type AgentRoutesDeps,
  type RegisteredAgent,
} from './deps.ts'
import type { Duplicates } from './duplicates.ts'
import { RefusedError } from './refusal.ts'
import type { World } from './world.ts'
import type { StageletView } from './world-views.ts'

export interface Reports {
  /** Stores what is new. 409 for a replay, 403 when nothing in it is this agent's; else the uids it refused. */
  accept(agentUid: string, agent: RegisteredAgent, report: ReportRequest): Promise<string[]>
}

interface Accepted {
  readonly view: StageletView
  readonly spec: ObservationSpec
}

interface Given {
  readonly agentUid: string
  readonly report: ReportRequest
  readonly mine: readonly Accepted[]
}

/** Bounds how long other writers wait for one write of them. */
const mostInOneWrite = 64

const replay = (seq: number, last: number): RefusedError =>
  new RefusedError(409, 'Replay', `report ${seq} came after report ${last}: a replay, or late`)

/** Of two reports of one agent. */
const checkReplay = (
  last: Pick<ReportRequest, 'boot' | 'seq'> | undefined,
  { boot, seq }: ReportRequest,
): void => {
  if (last?.boot === boot && seq <= last.seq) throw replay(seq, last.seq)
}

const staleBoot = 'StaleBoot'
const checkBoot = (boot: string, current: string | undefined): void => {
  if (current === undefined || current === boot) return
  throw new RefusedError(409, staleBoot, 'this report is from an earlier start of the agent')
}

type ReportsDeps = Pick<AgentRoutesDeps, 'connections' | 'log'> & {
  readonly duplicates: Pick<Duplicates, 'reportedLate'>
}

export const createReports = (
  { connections, log, duplicates }: ReportsDeps,
  world: World,
): Reports => {
  /** Newest report that came here, by agent: saves the store most looks at replays. */
  const newest = new Map<string, { boot: string; seq: number }>()

  /** Throws when the report must not count; else what of it is new. */
  const check = async (
    tx: Transaction,
    boot: string | undefined,
    { agentUid, report, mine }: Given,
  ): Promise<Accepted[]> => {
    checkBoot(report.boot, boot)
    checkReplay(newest.get(agentUid), report)
    const news: Accepted[] = []
    const agent = mine[0] && (await tx.get(agentRefOf(mine[0].view.agentKey)))
    for (const { view, spec: told } of mine) {
      const spec = agent === undefined ? told : { ...told, presence: presenceOf(agent) }
      const old = specOf(await tx.get(observationOf(view)))
      if (old?.agent === spec.agent && old.boot === spec.boot && spec.seq <= old.seq)
        throw replay(spec.seq, old.seq)
      // What was told before the agent was away has to be told again, also where it is the same.
      const isStale = agent !== undefined && !isReportedSince(agent, old?.presence)
      if (old === undefined || isStale || !isSameReport(old, spec)) news.push({ view, spec })
    }
    return news
  }

  /** Each is refused alone; undefined for those that are not. */
  const put = gathered(mostInOneWrite, (batch: readonly Given[]) =>
    connections.write(system, async (tx, streams) => {
      const boots = await streams.bootsOf(batch.map(({ agentUid }) => agentUid))
      const outcomes: (RefusedError | undefined)[] = []
      /** Newest of those before in this write, by agent. */
      const here = new Map<string, ReportRequest>()
      for (const given of batch) {
        const { agentUid, report } = given
        try {
          checkReplay(here.get(agentUid), report)
          here.set(agentUid, report)
          const news = await check(tx, boots.get(given.agentUid), given)
          for (const { view, spec } of news) await tx.putInternal(renderObservation(view, spec))
          outcomes.push(undefined)
        } catch (error) {
          if (!(error instanceof RefusedError)) throw error
          outcomes.push(error)
        }
      }
      return outcomes
    }),
  )

  return {
    accept: async (agentUid, agent, report) => {
      const agentKey = agentKeyOf(agent.namespace, agent.name)
      let { mine, refused } = divide(report, agentKey, world)
      if (refused.length > 0) {
        // The agent may know of a stagelet by another replica, before the mirror here does.
        await world.caughtUp()
        ;({ mine, refused } = divide(report, agentKey, world))
      }
      if (refused.length > 0) {
        log.warn({ agent: agentKey, stagelets: refused }, 'report of stagelets of another agent')
        if (mine.length === 0) {
          const message = `not assigned to this agent: ${refused.join(', ')}`
          throw new RefusedError(403, 'Forbidden', message)
        }
      }
      const refusal = await put({ agentUid, report, mine })
      if (refusal?.reason === staleBoot)
        duplicates.reportedLate({ agentKey, agentUid, boot: report.boot })
      if (refusal !== undefined) throw refusal
      // Not within the write, which may be done over.
      newest.set(agentUid, { boot: report.boot, seq: report.seq })
      return refused
    },
  }
}

const observationOf = ({ namespace, name }: StageletView): ObjectRef => ({
  kind: 'Observation',
  namespace,
  name,
})

/** But for what each report has of its own. */
const isSameReport = (a: ObservationSpec, b: ObservationSpec): boolean =>
  isDeepStrictEqual({ ...a, seq: 0, presence: '' }, { ...b, seq: 0, presence: '' })

const specOf = (object: KubeObject | undefined): ObservationSpec | undefined =>
  object?.spec as ObservationSpec | undefined

const divide = (
  report: ReportRequest,
  agentKey: string,
  world: World,
): { mine: Accepted[]; refused: string[] } => {
  const mine: Accepted[] = []
  const refused: string[] = []
  const { boot, seq } = report
  for (const reported of report.observations) {
    const view = world.stagelet(reported.stageletUid)
    if (view?.agentKey === agentKey) {
      mine.push({ view, spec: { agent: agentKey, boot, seq, ...storable(reported) } })
    } else refused.push(reported.stageletUid)
  }
  return { mine, refused }
}

/**
 * What is compared must look like what was stored, and JSON has no undefined. Log lines and names of
 * an agent's machine may hold anything.
 */
const storable = (reported: ReportedStagelet): ReportedStagelet =>
  JSON.parse(storableJson(JSON.stringify(reported))) as ReportedStagelet

const renderObservation = (view: StageletView, spec: ObservationSpec): KubeObject => ({
  apiVersion,
  kind: 'Observation',
  metadata: { name: view.name, namespace: view.namespace },
  spec,
})
