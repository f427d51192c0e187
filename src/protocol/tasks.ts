// Tasks: the agent changes a credential of a database in one of its containers. The controller names the step and
// its parameters; statements are made by the agent alone. The order is sealed, since it holds the candidate. The
// answer holds facts, never a value.
import * as z from 'zod'
import { faultKinds, type Facts } from '../databases/step.ts'
import { faultText, machineText, opaque } from '../resources/told.ts'
import { lookAnswer } from './look.ts'
import { printedAnswer } from './printed.ts'

/** The agent ends a step after this time. */
export const taskLimitMs = 20_000

/** The controller waits for an answer so long, and asks again later: the agent looks before it acts. */
export const taskPatienceMs = 30_000

/**
 * A step of one attempt of a Rotation. The same step of the same attempt may be asked for again at any time.
 * `plugin`, `step` and `params` are read by the agent: what it does not know it refuses by an answer.
 */
export const taskOrder = z.object({
  type: z.literal('task'),
  /** Of this asking; the answer names it. */
  id: z.string().max(128),
  /** uid of the Rotation. */
  rotation: z.string(),
  attempt: z.string(),
  step: z.string(),
  stageletUid: z.string(),
  /** The Compose service whose container is the database. */
  service: z.string(),
  plugin: z.string(),
  params: z.record(z.string(), z.unknown()),
})

/** What a step has found: see src/databases/step.ts. */
const taskFacts = z.object({
  faults: z.array(faultText).max(50).optional(),
  warnings: z.array(faultText).max(50).optional(),
  accepted: z.enum(['accepted', 'refused', 'meaningless']).optional(),
  sessions: z.int().nonnegative().optional(),
  from: z.array(machineText).max(100).optional(),
  watchedMs: z.int().min(0).max(60_000).optional(),
  ended: z.literal(true).optional(),
})

/** The same, before the answer is looked at: who waits for it is named. */
export const taskEnvelope = z.looseObject({ id: opaque(128) })

/** POST tasks: the facts of a task, the places that a look has found, or what was printed; or why there are none. */
export const taskReport = z.object({
  id: opaque(128),
  facts: taskFacts.optional(),
  found: lookAnswer.optional(),
  printed: printedAnswer.optional(),
  fault: z.object({ kind: z.enum(faultKinds), message: faultText }).optional(),
})

/** `ended`: nobody waits for this answer any more. */
export const taskResponse = z.object({ state: z.enum(['taken', 'ended']) })

export type TaskEnvelope = z.infer<typeof taskEnvelope>
export type TaskOrder = z.infer<typeof taskOrder>
export type TaskReport = z.infer<typeof taskReport>

/** A step that the controller asks an agent for. */
export type AgentTask = Omit<TaskOrder, 'type' | 'id'>

export interface AgentTaskRunner {
  /** The facts of one step. StepFault: Unreachable where the agent is away or does not answer, Refused where it is too old. */
  run(agentKey: string, task: AgentTask, signal: AbortSignal): Promise<Facts>
}
