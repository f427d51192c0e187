// Checks the reports of agents, and stores them as Observations where more than the sequence number changed. A report
// may come to any replica, so that the last one is read from the store. Reports that come during a write share the
// next one.
import { toTimestamp, type Clock } from '../../../src/kernel/clock.ts'
import { batched } from '../../../src/kernel/async/batched.ts'
import { apiVersion, type KubeObject, type ObjectRef } from '../../../src/resources/meta.ts'
import { isReportedSince, presenceOf } from '../../../src/kinds/agent/presence.ts'
import type { ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import type { ReportRequest } from '../../../src/protocol/messages.ts'
import { sameJson } from '../../../src/kernel/same-json.ts'
import type { Transaction } from '../../../src/store/store.ts'
import { agentKeyOf, agentRefOf } from '../../../src/protocol/agent-key.ts'
import { system, type AgentRoutesDeps, type RegisteredAgent } from './deps.ts'
import type { Duplicates } from './streams/duplicates.ts'
import { AgentRefusedError } from '../../orders/agent-refused.ts'
import { createContainerBudget, type ContainerBudget } from './container-budget.ts'
import { asTold } from './untold-revisions.ts'
import { containerActivity } from './container-lives.ts'
import type { ObjectCache } from './objects/object-cache.ts'
import type { StageletView } from './objects/views.ts'

export interface Reports {
  /** Stores what is new. 409 for a replay, 403 where no stagelet in it is this agent's; else returns the uids that were refused. */
  accept(agentUid: string, agent: RegisteredAgent, report: ReportRequest): Promise<string[]>
}

interface Accepted {
  readonly view: StageletView
  readonly spec: ObservationSpec
}

interface CheckedReport {
  readonly agentUid: string
  readonly report: ReportRequest
  readonly mine: readonly Accepted[]
}

/** Stagelets that a message or a line of the log names. */
const mostNamed = 10

/** Reports in one write: other writers wait for it. */
const mostInOneWrite = 64

const replay = (seq: number, last: number): AgentRefusedError =>
  new AgentRefusedError(409, 'Replay', `report ${seq} came after report ${last}: a replay, or late`)

/** Throws where the report is not newer than the last one of this agent. */
const checkReplay = (
  last: Pick<ReportRequest, 'boot' | 'seq'> | undefined,
  { boot, seq }: ReportRequest,
): void => {
  if (last?.boot === boot && seq <= last.seq) throw replay(seq, last.seq)
}

const staleBoot = 'StaleBoot'
const checkBoot = (boot: string, current: string | undefined): void => {
  if (current === undefined || current === boot) return
  throw new AgentRefusedError(409, staleBoot, 'this report is from an earlier start of the agent')
}

/** The check must be repeated while nobody else writes: the report may be of an earlier start of its agent. */
class NeedsLock extends Error {}

/** The facts that reports are checked against. */
interface ReportFacts {
  /** Start of each agent that opened its newest stream. */
  readonly boots: ReadonlyMap<string, string>
  /** Nobody else writes meanwhile. */
  readonly isLocked: boolean
  readonly newest: Newest
  readonly clock: Clock
  readonly containers: ContainerBudget
}

/** By agent, the newest report that came here: most replays are found without the store. */
type Newest = Map<string, { boot: string; seq: number }>

/** Returns the part of the report that is new. Throws for a report that must not count. */
const check = async (
  tx: Transaction,
  { boots, isLocked, newest, clock, containers }: ReportFacts,
  { agentUid, report, mine }: CheckedReport,
): Promise<Accepted[]> => {
  checkBoot(report.boot, boots.get(agentUid))
  checkReplay(newest.get(agentUid), report)
  const news: Accepted[] = []
  const agent = mine[0] && (await tx.getFrozen(agentRefOf(mine[0].view.agentKey)))
  for (const { view, spec: reported } of mine) {
    const receivedAt = toTimestamp(clock.now())
    const spec = { ...reported, receivedAt, ...(agent && { presence: presenceOf(agent) }) }
    const old = (await tx.getFrozen(observationOf(view)))?.spec
    // A report from before the agent was away is stored again, also where it says the same.
    const isStale = agent !== undefined && !isReportedSince(agent, old?.presence)
    // Another start of the agent may have reported since the boots were read: its report must not be replaced, and an older
    // report must not count as the first one after the agent's return.
    if (!isLocked && (isStale || old?.boot !== spec.boot))
      throw new NeedsLock('a report by another start, or the first since the agent is back')
    if (old?.agent === spec.agent && old.boot === spec.boot && spec.seq <= old.seq)
      throw replay(spec.seq, old.seq)
    if (old === undefined || isStale || !sameJson(old, spec, ownFields)) {
      const take = (wanted: number): number => containers.take(view.agentKey, wanted)
      for (const entry of containerActivity(placeOf(view), { old, spec }, { agent, clock, take }))
        await tx.recordActivity(entry)
      news.push({ view, spec: { ...spec, receivedAt: newsAt(old, spec) } })
    }
  }
  return news
}

/** The refusal of each report; undefined for those that were taken. */
const putAll = async (
  tx: Transaction,
  facts: ReportFacts,
  batch: readonly CheckedReport[],
): Promise<(AgentRefusedError | undefined)[]> => {
  const outcomes: (AgentRefusedError | undefined)[] = []
  /** By agent, the newest report in this write so far. */
  const here = new Map<string, ReportRequest>()
  for (const checked of batch) {
    const { agentUid, report } = checked
    try {
      checkReplay(here.get(agentUid), report)
      here.set(agentUid, report)
      const news = await check(tx, facts, checked)
      for (const { view, spec } of news) await tx.putInternal(renderObservation(view, spec))
      outcomes.push(undefined)
    } catch (error) {
      if (!(error instanceof AgentRefusedError)) throw error
      outcomes.push(error)
    }
  }
  return outcomes
}

type ReportsDeps = Pick<AgentRoutesDeps, 'store' | 'connections' | 'log' | 'clock'> & {
  readonly duplicates: Pick<Duplicates, 'reportedLate'>
}

export const createReports = (
  { store, connections, log, clock, duplicates }: ReportsDeps,
  objects: ObjectCache,
): Reports => {
  const newest: Newest = new Map()
  const containers = createContainerBudget(clock)

  const put = batched(mostInOneWrite, async (batch: readonly CheckedReport[]) => {
    const uids = batch.map(({ agentUid }) => agentUid)
    const boots = await connections.bootsOf(uids)
    try {
      return await store.write(system, {}, (tx) =>
        putAll(tx, { boots, isLocked: false, newest, clock, containers }, batch),
      )
    } catch (error) {
      if (!(error instanceof NeedsLock)) throw error
      return connections.write(system, async (tx, streams) =>
        putAll(
          tx,
          { boots: await streams.bootsOf(uids), isLocked: true, newest, clock, containers },
          batch,
        ),
      )
    }
  })

  return {
    accept: async (agentUid, agent, report) => {
      const agentKey = agentKeyOf(agent.namespace, agent.name)
      let { mine: all, refused } = divide(report, agentKey, objects)
      if (refused.length > 0) {
        // Another replica may have told the agent of a stagelet before the cache here shows it.
        await objects.caughtUp()
        ;({ mine: all, refused } = divide(report, agentKey, objects))
      }
      const mine: Accepted[] = []
      for (const one of all) {
        const told = await asTold({ store }, objects, one)
        if (told === undefined) refused.push(one.view.uid)
        else mine.push(told)
      }
      if (refused.length > 0) {
        const named = refused.slice(0, mostNamed)
        const facts = { agent: agentKey, count: refused.length, stagelets: named }
        log.warn(facts, 'report of stagelets of another agent, or of a revision it was not sent')
        if (mine.length === 0) {
          const message = `not assigned to this agent, or not with this revision: ${named.join(', ')}`
          throw new AgentRefusedError(403, 'Forbidden', message)
        }
      }
      const refusal = await put({ agentUid, report, mine })
      if (refusal?.reason === staleBoot)
        duplicates.reportedLate({ agentKey, agentUid, boot: report.boot })
      if (refusal !== undefined) throw refusal
      // Not within the write, which may be repeated.
      newest.set(agentUid, { boot: report.boot, seq: report.seq })
      return refused
    },
  }
}

const placeOf = ({ uid, namespace, name, projectKey }: StageletView) => ({
  subject: uid,
  namespace,
  project: projectKey.slice(projectKey.indexOf('/') + 1),
  stagelet: name,
})

const observationOf = ({ namespace, name }: StageletView): ObjectRef<'Observation'> => ({
  kind: 'Observation',
  namespace,
  name,
})

/** Fields that differ in each report. */
const ownFields = ['seq', 'presence', 'receivedAt']

/** Time of the last report with news about the stagelet. A return or a new start of the agent is no news. */
const newsAt = (
  old: ObservationSpec | undefined,
  spec: ObservationSpec & { readonly receivedAt: string },
): string =>
  old !== undefined && sameJson(old, spec, [...ownFields, 'boot'])
    ? (old.receivedAt ?? spec.receivedAt)
    : spec.receivedAt

const divide = (
  report: ReportRequest,
  agentKey: string,
  objects: ObjectCache,
): { mine: Accepted[]; refused: string[] } => {
  const mine: Accepted[] = []
  const refused: string[] = []
  const { boot, seq } = report
  for (const reported of report.observations) {
    const view = objects.stagelet(reported.stageletUid)
    if (view?.agentKey === agentKey) {
      mine.push({ view, spec: { agent: agentKey, boot, seq, ...reported } })
    } else refused.push(reported.stageletUid)
  }
  return { mine, refused }
}

const renderObservation = (view: StageletView, spec: ObservationSpec): KubeObject => ({
  apiVersion,
  kind: 'Observation',
  metadata: { name: view.name, namespace: view.namespace },
  spec,
})
