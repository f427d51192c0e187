// What one controller sends to another.
import * as z from 'zod'
import { logBatch, logsOrder } from '../../../src/protocol/logs.ts'
import { taskReport } from '../../../src/protocol/tasks.ts'
import { twoNames } from '../../../src/resources/limits.ts'
import { heartbeatsRequest } from './heartbeats.ts'

/** `namespace/name` of an agent. */
const agentKey = twoNames

export const askRequest = z.object({ agentKey, order: logsOrder })
/** A task holds values, and replicas may be connected by plain HTTP. */
export const taskRequest = z.object({ agentKey, sealed: z.string().max(1_048_576) })
export const takeTaskRequest = z.object({ agentKey, report: taskReport })
export const takeRequest = z.object({ agentKey, batch: logBatch })

export const peerRequests = {
  askRequest,
  taskRequest,
  takeTaskRequest,
  takeRequest,
  heartbeatsRequest,
} as const
