// Tasks and looks of agents: asks an agent for one, and waits for its answer. Nothing is stored: the caller is in this
// process, and asks again where the answer is lost. The id of an order names the replica that waits for the answer.
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import { linkedAbort } from '../../src/kernel/async/linked-abort.ts'
import { pause } from '../../src/kernel/async/pause.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { StepFault, type Facts } from '../../src/databases/step.ts'
import { lookPatienceMs, type LookAnswer, type LookOrder } from '../../src/protocol/look.ts'
import type { CountOrder, PrintedAnswer } from '../../src/protocol/printed.ts'
import {
  taskPatienceMs,
  taskReport,
  type AgentTaskRunner,
  type TaskEnvelope,
  type TaskOrder,
  type TaskReport,
} from '../../src/protocol/tasks.ts'
import type { OnDemandOrder } from '../../src/protocol/messages.ts'
import { malformed } from './agent-refused.ts'
import type { LogPeers } from './log-relay.ts'
import type { OrderResult } from './order-result.ts'

/** What an agent has answered, or why nothing. */
type Answered<T> = T | NotAnswered
export type NotAnswered = Exclude<OrderResult, 'asked'> | { readonly failed: string }
export type LookOutcome = Answered<LookAnswer>

type Asking<T> = Omit<T, 'type' | 'id'>

export interface AgentTasks extends AgentTaskRunner {
  /** Where on the machine the values lie. Never rejects. */
  look(agentKey: string, wanted: Asking<LookOrder>, signal: AbortSignal): Promise<LookOutcome>
  /** What the containers of a stagelet have printed. Never rejects. */
  countPrinted(
    agentKey: string,
    wanted: Asking<CountOrder>,
    signal: AbortSignal,
  ): Promise<Answered<PrintedAnswer>>
  /** What an agent has answered. */
  accept(agentKey: string, report: TaskReport): Promise<'taken' | 'ended'>
  /** The same, only for tasks of this process. */
  acceptHere(agentKey: string, report: TaskReport): 'taken' | 'ended'
}

/** The other replicas. */
export interface TaskPeers extends Pick<LogPeers, 'self' | 'ask'> {
  takeTask(replica: string, agentKey: string, report: TaskReport): Promise<'taken' | 'ended'>
}

/** Orders that an agent answers by a report. */
export type AnsweredOrder = TaskOrder | LookOrder | CountOrder

interface AgentTasksDeps {
  readonly ask: (agentKey: string, order: AnsweredOrder) => OrderResult
  /** Absent where there is no other replica. */
  readonly peers?: TaskPeers | undefined
  readonly clock: Clock
  readonly log: Logger
  /** For tests. */
  readonly patienceMs?: number
}

interface AnswerLimits {
  readonly agentKey: string
  readonly signal: AbortSignal
  readonly patienceMs: number
}

interface Waiting {
  readonly agentKey: string
  readonly take: (report: TaskReport) => void
}

/** For this time (ms) after the start of the controller, its agents are still connecting again. */
const comingBackMs = 30_000
const lookMs = 500

type Ask = (agentKey: string, order: AnsweredOrder, signal: AbortSignal) => Promise<OrderResult>

/** Waits for an agent that may still come back. */
const createPatientAsk = (deps: AgentTasksDeps): Ask => {
  const { clock } = deps
  const allBackMs = clock.monotonic() + comingBackMs
  return async (agentKey, order, signal) => {
    for (;;) {
      const asked = await askAnywhere(deps, agentKey, order)
      const isLast = asked !== 'away' || clock.monotonic() >= allBackMs
      if (isLast || !(await pause(clock, lookMs, signal))) return asked
    }
  }
}

export const createAgentTasks = (deps: AgentTasksDeps): AgentTasks => {
  const { clock, peers, patienceMs = taskPatienceMs } = deps
  const waiting = new Map<string, Waiting>()
  const askPatiently = createPatientAsk(deps)

  /** undefined: nothing was asked, or there was no answer. `send` says whether the agent was asked. */
  const answer = async (
    { agentKey, signal, patienceMs: ms }: AnswerLimits,
    send: (id: string, over: AbortSignal) => Promise<boolean>,
  ): Promise<TaskReport | undefined> => {
    const id = `${peers?.self ?? 'only'}.${randomUUID()}`
    const over = linkedAbort(signal)
    const answered = new Promise<TaskReport>((resolve) => {
      waiting.set(id, { agentKey, take: resolve })
    })
    try {
      if (!(await send(id, over.signal))) return undefined
      const silence = pause(clock, ms, over.signal).then(() => undefined)
      return await Promise.race([answered, silence])
    } finally {
      over.abort()
      waiting.delete(id)
    }
  }

  const askNow: Ask = (agentKey, order) => askAnywhere(deps, agentKey, order)

  const answered = async <T>(
    to: Omit<AnswerLimits, 'patienceMs'> & { readonly ask: Ask },
    orderOf: (id: string) => AnsweredOrder,
    read: (report: TaskReport) => T | undefined,
  ): Promise<Answered<T>> => {
    const sent: { asked: OrderResult } = { asked: 'away' }
    const limits = { ...to, patienceMs: Math.min(patienceMs, lookPatienceMs) }
    const report = await answer(limits, async (id, over) => {
      sent.asked = await to.ask(to.agentKey, orderOf(id), over)
      return sent.asked === 'asked'
    })
    if (sent.asked !== 'asked') return sent.asked
    const late = 'the agent has not answered in time'
    return (report && read(report)) ?? { failed: report?.fault?.message ?? late }
  }

  const acceptHere: AgentTasks['acceptHere'] = (agentKey, report) => {
    const found = waiting.get(report.id)
    if (found?.agentKey !== agentKey) return 'ended'
    found.take(report)
    return 'taken'
  }

  return {
    acceptHere,
    accept: async (agentKey, report) => {
      const [replica = ''] = report.id.split('.')
      if (peers === undefined || replica === peers.self) return acceptHere(agentKey, report)
      return peers.takeTask(replica, agentKey, report)
    },
    run: async (agentKey, task, signal) => {
      const report = await answer({ agentKey, signal, patienceMs }, (id, over) => {
        const order: TaskOrder = { type: 'task', id, ...task }
        return askPatiently(agentKey, order, over).then((asked) => checkAsked(agentKey, asked))
      })
      if (report === undefined) throw silent(agentKey, patienceMs)
      return factsOf(report)
    },
    look: (agentKey, wanted, signal) =>
      // Whoever asks only of containers decides on the answer.
      answered(
        { agentKey, signal, ask: wanted.containersOnly ? askPatiently : askNow },
        (id) => ({ type: 'lookFor', id, ...wanted }),
        ({ found }) => found,
      ),
    countPrinted: (agentKey, wanted, signal) =>
      answered(
        { agentKey, signal, ask: askNow },
        (id) => ({ type: 'countPrinted', id, ...wanted }),
        ({ printed }) => printed,
      ),
  }
}

interface Sending<Order extends OnDemandOrder> {
  readonly ask: (agentKey: string, order: Order) => OrderResult
  readonly peers?: Pick<LogPeers, 'ask'> | undefined
  readonly log: Logger
}

/** Sends the order by the agent's stream, which may be at another replica. */
const askAnywhere = async <Order extends OnDemandOrder>(
  { ask, peers, log }: Sending<Order>,
  agentKey: string,
  order: Order,
): Promise<OrderResult> => {
  const here = ask(agentKey, order)
  if (here !== 'away' || peers === undefined) return here
  return peers.ask(agentKey, order).catch((error: unknown) => {
    const { type } = order
    log.warn({ err: error, agent: agentKey, type }, 'cannot ask an agent at another replica')
    return 'away' as const
  })
}

const checkAsked = (agentKey: string, asked: OrderResult): true => {
  if (asked === 'away')
    throw new StepFault(
      'Unreachable',
      `agent ${agentKey} has no connection to a controller: look at its machine`,
    )
  if (asked === 'tooOld')
    throw new StepFault(
      'Refused',
      `agent ${agentKey}, or the controller that it is connected to, is older than tasks of agents: upgrade it`,
    )
  return true
}

const silent = (agentKey: string, ms: number): StepFault =>
  new StepFault('Unreachable', `agent ${agentKey} has not answered within ${ms / 1000} s`)

const factsOf = ({ facts, fault }: TaskReport): Facts => {
  if (fault !== undefined) throw new StepFault(fault.kind, fault.message)
  return defined(facts ?? {})
}

/** Whoever waits for the answer of this agent waits no longer, where it answers wrongly. */
export const decodingTasks = (tasks: Pick<AgentTasks, 'accept'>) => ({
  accept: async (agentKey: string, envelope: TaskEnvelope): Promise<string> => {
    const { data, error } = taskReport.safeParse(envelope)
    if (data !== undefined) return tasks.accept(agentKey, data)
    const fault = { kind: 'Failed' as const, message: 'it answered wrongly' }
    await tasks.accept(agentKey, { id: envelope.id, fault })
    throw malformed(error.issues.map(({ path }) => path.join('.')))
  },
})
