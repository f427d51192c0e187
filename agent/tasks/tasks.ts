// Tasks: changes a credential of a database in a container of one of the agent's stacks, step by step, and answers
// with facts. Which steps there are, and with which statements, is built in: the controller sends neither.
//
// INVARIANTS
// - Values are hidden in logs and messages of the stack before anything is done with them.
// - Steps in one container run one after the other. A step that is asked for while it runs is not done twice.
import { defined } from '../../src/kernel/defined.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import { linkedAbort } from '../../src/kernel/async/linked-abort.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { createMasker } from '../../src/masking/masker.ts'
import { StepFault, steps, type Facts } from '../../src/databases/step.ts'
import { taskLimitMs, type TaskOrder, type TaskReport } from '../../src/protocol/tasks.ts'
import type { ControllerClient } from '../link/controller-client.ts'
import type { Engine } from '../docker/engine.ts'
import type { TaskSource } from '../logs/known-values.ts'
import type { LogRefusal } from '../logs/project-log.ts'
import { findContainer } from './container.ts'
import { mariadbPlugin } from './mariadb.ts'
import type { Plugin } from './plugin.ts'
import { postReport } from './post-report.ts'
import { postgresPlugin } from './postgres.ts'
import { redisPlugin } from './redis.ts'

export interface TaskRuns {
  start(order: TaskOrder): void
  /** Ends all tasks. */
  stop(): void
}

interface TaskRunsDeps {
  readonly engine: Pick<Engine, 'listContainers' | 'inspect' | 'exec'>
  /** undefined where the stagelet is not this agent's. */
  readonly sourceOf: (stageletUid: string) => TaskSource | LogRefusal | undefined
  readonly client: Pick<ControllerClient, 'post'>
  readonly clock: Clock
  readonly log: Logger
  /** False: the agent was started with --no-tasks. */
  readonly allowed: boolean
}

const plugins: Readonly<Record<string, Plugin>> = {
  postgres: postgresPlugin,
  redis: redisPlugin,
  mariadb: mariadbPlugin,
}

type Outcome = Omit<TaskReport, 'id'>

export const createTaskRuns = (deps: TaskRunsDeps): TaskRuns => {
  const ending = new AbortController()
  const running = new Map<string, Promise<Outcome>>()
  const queues = new Map<string, Promise<unknown>>()

  /** After what runs in the same container now. */
  const inTurn = (order: TaskOrder): Promise<Outcome> => {
    const place = JSON.stringify([order.stageletUid, order.service])
    const before = queues.get(place) ?? Promise.resolve()
    const mine: Promise<Outcome> = before
      .then(() => outcomeOf(deps, order, ending.signal))
      .finally(() => {
        if (queues.get(place) === mine) queues.delete(place)
      })
    queues.set(place, mine)
    return mine
  }
  const once = (order: TaskOrder): Promise<Outcome> => {
    const key = JSON.stringify({ ...order, id: '' })
    const found = running.get(key)
    if (found !== undefined) return found
    const mine = inTurn(order).finally(() => running.delete(key))
    running.set(key, mine)
    return mine
  }
  return {
    start: (order) => {
      once(order)
        .then((outcome) => postReport(deps, { id: order.id, ...outcome }, ending.signal))
        .catch((error: unknown) => {
          const { rotation, step } = order
          deps.log.warn({ rotation, step, reason: messageOf(error) }, 'a task has no answer')
        })
    },
    stop: () => ending.abort(),
  }
}

const refused = (message: string): StepFault => new StepFault('Refused', message)

/** Never rejects. */
const outcomeOf = async (
  deps: TaskRunsDeps,
  order: TaskOrder,
  stopping: AbortSignal,
): Promise<Outcome> => {
  const { rotation, attempt, step, service } = order
  const log = deps.log.child({ rotation, attempt, step, service })
  const mask = createMasker(textsIn(order.params).map((text) => Buffer.from(text)))
  try {
    const facts = await runTask(deps, order, stopping)
    log.info({}, 'a task is done')
    return { facts: shownFacts(facts, (text) => mask.mask(text)) }
  } catch (error) {
    const kind = error instanceof StepFault ? error.kind : 'Failed'
    const message = shown(mask.mask(messageOf(error)))
    log.warn({ kind, reason: message }, 'a task is not done')
    return { fault: { kind, message } }
  }
}

const runTask = async (
  deps: TaskRunsDeps,
  order: TaskOrder,
  stopping: AbortSignal,
): Promise<Facts> => {
  if (!deps.allowed)
    throw refused(
      'this agent does no tasks: it was started with --no-tasks (STAGELY_AGENT_NO_TASKS)',
    )
  const plugin = plugins[order.plugin]
  const step = steps.find((name) => name === order.step)
  if (plugin === undefined || step === undefined)
    throw refused(`this agent is too old for the task ${order.plugin} ${order.step}: upgrade it`)
  const source = deps.sourceOf(order.stageletUid)
  if (source === undefined || 'refused' in source)
    throw new StepFault(
      'Unreachable',
      `the agent does no task for this stack: ${source?.refused ?? 'the stagelet is not its own'}`,
    )
  const task = plugin(order.params)
  source.hide(task.values)
  const ending = linkedAbort(stopping, source.ended)
  const timer = setTimeout(() => ending.abort(), taskLimitMs)
  try {
    const place = { project: source.project, service: order.service }
    const container = await findContainer(deps.engine, place, ending.signal)
    return await task.run(step, container)
  } finally {
    clearTimeout(timer)
    ending.abort()
  }
}

/** All texts that may be values. */
const textsIn = (params: unknown): string[] =>
  typeof params === 'object' && params !== null
    ? Object.entries(params).flatMap(([name, value]) =>
        /password/i.test(name) && typeof value === 'string' ? [value] : textsIn(value),
      )
    : []

/** As the report takes it. */
const shown = (text: string): string => text.replace(/\0|\p{Surrogate}/gu, '').slice(0, 2_000)

const shownFacts = (
  facts: Facts,
  mask: (text: string) => string,
): NonNullable<Outcome['facts']> => ({
  ...defined({
    accepted: facts.accepted,
    sessions: facts.sessions,
    watchedMs: facts.watchedMs,
    ended: facts.ended,
    faults: facts.faults?.map((fault) => shown(mask(fault))),
    warnings: facts.warnings?.map((warning) => shown(mask(warning))),
    from: facts.from?.map((address) => shown(address).slice(0, 256)),
  }),
})
