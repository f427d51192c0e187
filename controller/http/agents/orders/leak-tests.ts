// Leak tests: orders to agents, and what they have counted. Results lie in the database: any replica
// takes them from the agent, and shows them.
import type { Clock } from '../../../../src/kernel/clock.ts'
import { StagelyError } from '../../../../src/kernel/errors.ts'
import type { Logger } from '../../../../src/kernel/log.ts'
import {
  leakTestPatienceMs,
  type LeakTestOrder,
  type LeakTestReport,
} from '../../../../src/protocol/leak-test.ts'
import type {
  LeakTestEnd,
  LeakTestStore,
  StoredLeakTest,
} from '../../../../src/store/agents/leak-tests.ts'
import type { LogPeers } from './log-relay.ts'
import type { OrderResult } from './order-result.ts'
import { askAnywhere } from './tasks.ts'

/** `waiting`: the agent was asked, and has not answered yet. */
type LeakTestState = 'waiting' | 'running' | 'done' | 'agent_away' | 'agent_too_old' | 'failed'

export interface PendingLeakTest extends Omit<StoredLeakTest, 'state'> {
  readonly state: LeakTestState
}

export interface LeakTests {
  /** Asks the agent. Conflict while a test of the stagelet runs. */
  start(wanted: Pick<StoredLeakTest, 'stageletUid' | 'agent' | 'tail'>): Promise<PendingLeakTest>
  read(stageletUid: string, id: string): Promise<PendingLeakTest | undefined>
  /** The newest first. */
  list(stageletUid: string): Promise<PendingLeakTest[]>
  /** What an agent has counted so far, or in the end. */
  accept(agentKey: string, report: LeakTestReport): Promise<'taken' | 'ended'>
}

export interface LeakTestsDeps {
  readonly leakTests: LeakTestStore
  readonly ask: (agentKey: string, order: LeakTestOrder) => OrderResult
  /** Absent where there is no other replica. */
  readonly peers?: Pick<LogPeers, 'ask'> | undefined
  readonly clock: Clock
  readonly log: Logger
}

export const createLeakTests = (deps: LeakTestsDeps): LeakTests => {
  const { leakTests: store, clock } = deps
  const shown = (test: StoredLeakTest): PendingLeakTest => withState(test, clock.now())
  return {
    start: async (wanted) => {
      const test = await store.begin(wanted, clock.now() - leakTestPatienceMs)
      if (test === undefined)
        throw new StagelyError('Conflict', 'a leak test of this stagelet runs: read its result')
      const { id, agent, stageletUid, tail } = test
      const order: LeakTestOrder = { type: 'leakTest', id, stageletUid, tail }
      const end = notAsked(agent, await askAnywhere(deps, agent, order))
      if (end === undefined) return shown(test)
      await store.end(test.id, test.agent, end)
      return shown((await store.get(test.stageletUid, test.id)) ?? test)
    },
    read: async (stageletUid, id) => {
      const test = await store.get(stageletUid, id)
      return test && shown(test)
    },
    list: async (stageletUid) => (await store.list(stageletUid)).map(shown),
    accept: async (agentKey, { id, lines, end }) => {
      const isTaken =
        end === undefined
          ? await store.heard(id, agentKey, lines)
          : await store.end(id, agentKey, endOf(lines, end))
      return isTaken ? 'taken' : 'ended'
    },
  }
}

const endOf = (lines: number, end: NonNullable<LeakTestReport['end']>): LeakTestEnd => {
  const { services, complete, error } = end
  if (error !== undefined) return { state: 'failed', message: error }
  return { state: 'done', lines, complete, services }
}

/** The end of a test that the agent was not asked for. */
const notAsked = (agent: string, asked: OrderResult): LeakTestEnd | undefined => {
  if (asked === 'asked') return undefined
  if (asked === 'away') {
    const message = `agent ${agent} has no connection to a controller: look at its machine`
    return { state: 'agent_away', message }
  }
  const message = `agent ${agent}, or the controller that it is connected to, is older than leak tests: upgrade it`
  return { state: 'agent_too_old', message }
}

/** A test whose agent has been silent for long has failed. */
const withState = (test: StoredLeakTest, now: number): PendingLeakTest => {
  const { state, heardAt, finishedAt } = test
  if (state !== 'asked' && state !== 'running') return { ...test, state }
  const endsAt = heardAt + leakTestPatienceMs
  if (finishedAt !== undefined || now <= endsAt)
    return { ...test, state: state === 'asked' ? 'waiting' : 'running' }
  const seconds = (leakTestPatienceMs / 1000).toString()
  const message = `agent ${test.agent} no longer answers: nothing came from it for ${seconds} s; try again`
  return { ...test, state: 'failed', message, finishedAt: endsAt }
}
