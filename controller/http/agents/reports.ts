// Reports of agents: checked, and stored as Observations in one write, or in none when nothing but
// the sequence number moved.
import { isDeepStrictEqual } from 'node:util'
import { apiVersion, type KubeObject } from '../../../src/resources/meta.ts'
import type { ObservationSpec } from '../../../src/resources/observation.ts'
import type { ReportRequest, ReportedStagelet } from '../../../src/protocol/messages.ts'
import { agentKeyOf, system, type AgentRoutesDeps, type RegisteredAgent } from './deps.ts'
import { RefusedError } from './refusal.ts'
import type { StageletView, World } from './world.ts'

export interface Reports {
  /** The agent's stream names its boot; reports of an earlier boot are replays from then on. */
  booted(agentUid: string, boot: string): void
  /** Stores what is new. 409 for a replay, 403 when nothing in it is this agent's; else the uids it refused. */
  accept(agentUid: string, agent: RegisteredAgent, report: ReportRequest): Promise<string[]>
}

interface Accepted {
  readonly view: StageletView
  readonly spec: ObservationSpec
}

export const createReports = ({ store, log }: AgentRoutesDeps, world: World): Reports => {
  const boots = new Map<string, { boot: string; seq: number }>()
  /** What is stored, as far as this process knows, by stagelet. */
  const stored = new Map<string, ObservationSpec>()

  const checkReplay = (agentUid: string, { boot, seq }: ReportRequest): void => {
    const current = boots.get(agentUid)
    if (current !== undefined && current.boot !== boot) {
      throw new RefusedError(409, 'StaleBoot', 'this report is from an earlier start of the agent')
    }
    if (current !== undefined && seq <= current.seq) {
      const message = `report ${seq} came after report ${current.seq}: a replay, or late`
      throw new RefusedError(409, 'Replay', message)
    }
    boots.set(agentUid, { boot, seq })
  }

  const readStored = async (view: StageletView): Promise<ObservationSpec | undefined> => {
    const known = stored.get(view.uid)
    if (known !== undefined) return known
    const object = await store.get({
      kind: 'Observation',
      namespace: view.namespace,
      name: view.name,
    })
    return object?.spec as ObservationSpec | undefined
  }

  const isNews = async ({ view, spec }: Accepted): Promise<boolean> => {
    const old = await readStored(view)
    return old === undefined || !isDeepStrictEqual({ ...old, seq: 0 }, { ...spec, seq: 0 })
  }

  return {
    booted: (agentUid, boot) => {
      if (boots.get(agentUid)?.boot !== boot) boots.set(agentUid, { boot, seq: -1 })
    },
    accept: async (agentUid, agent, report) => {
      checkReplay(agentUid, report)
      const agentKey = agentKeyOf(agent.namespace, agent.name)
      const { mine, refused } = divide(report, agentKey, world)
      if (refused.length > 0) {
        log.warn({ agent: agentKey, stagelets: refused }, 'report of stagelets of another agent')
        if (mine.length === 0) {
          const message = `not assigned to this agent: ${refused.join(', ')}`
          throw new RefusedError(403, 'Forbidden', message)
        }
      }
      const news: Accepted[] = []
      for (const accepted of mine) if (await isNews(accepted)) news.push(accepted)
      if (news.length > 0) {
        await store.write(system, {}, async (tx) => {
          for (const { view, spec } of news) await tx.putInternal(renderObservation(view, spec))
        })
        for (const { view, spec } of news) stored.set(view.uid, spec)
      }
      return refused
    },
  }
}

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
 * What is compared must look like what was stored, and JSON has no undefined. Log lines may hold
 * anything; the database cannot look into a NUL or half a surrogate pair.
 */
const storable = (reported: ReportedStagelet): ReportedStagelet =>
  JSON.parse(JSON.stringify(reported), (_, value: unknown) =>
    typeof value === 'string'
      ? value.replaceAll('\0', '\ufffd').replace(/\p{Surrogate}/gu, '\ufffd')
      : value,
  ) as ReportedStagelet

const renderObservation = (view: StageletView, spec: ObservationSpec): KubeObject => ({
  apiVersion,
  kind: 'Observation',
  metadata: { name: view.name, namespace: view.namespace },
  spec,
})
