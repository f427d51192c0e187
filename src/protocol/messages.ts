// Every message between controller and agent, in both directions. Protocol versions one minor apart
// work together; unknown fields are ignored, so that a newer peer may add some.
import * as z from 'zod'
import {
  cutField,
  drift,
  madeContainer,
  manualRun,
  observationSpec,
  observedService,
  quarantined,
  removedContainer,
  endedContainer,
  strayService,
} from '../kinds/observation/schema.ts'
import { composeSpec } from '../kinds/stagelet/compose.ts'
import { limits } from '../resources/limits.ts'
import { fileSpec } from '../kinds/secret/schema.ts'
import { logsOrder, serial, type LogsOrder } from './logs.ts'
import { machineText, opaque } from '../resources/told.ts'
import { protocolText, rawKey } from './agent-text.ts'
import { lookOrder, type LookOrder } from './look.ts'
import { countOrder, type CountOrder } from './printed.ts'
import { taskOrder, type TaskOrder } from './tasks.ts'

export const protocolVersion = '2.0'

export const agentPaths = {
  join: '/agent/v1/join',
  stream: '/agent/v1/stream',
  report: '/agent/v1/report',
  logs: '/agent/v1/logs',
  tasks: '/agent/v1/tasks',
  keys: '/agent/v1/keys',
  leave: '/agent/v1/leave',
  sign: '/agent/v1/sign',
} as const

/** Identifies one start of an agent. */
const bootId = opaque(128)

/** The latest time that JavaScript knows, in ms. */
const latestTime = 8_640_000_000_000_000

/**
 * POST keys: the agent replaces its keys. The request must be signed by the key that the controller
 * knows; `proof` shows that the agent has the new one. Sending the same keys again changes nothing.
 */
export const keysRequest = z.object({
  ed25519: rawKey,
  x25519: rawKey,
  /** Ed25519 signature by the new key over `keysProof`, base64url. */
  proof: opaque(128),
  /** Id of the order to rotate; absent when the agent rotates by itself. */
  request: opaque(256).optional(),
})

/** The text that the proof of new keys signs. The proof is valid only for replacing the key `held`. */
export const keysProof = (k: {
  controllerId: string
  agentUid: string
  /** The Ed25519 key that signs the request. */
  held: string
  ed25519: string
  x25519: string
}): Buffer =>
  Buffer.from(
    JSON.stringify(['stagely keys v2', k.controllerId, k.agentUid, k.held, k.ed25519, k.x25519]),
  )

/**
 * POST stream: opens the stream. `holds` lists the bundles that the agent has, so that they are not
 * sent again.
 */
export const streamRequest = z.object({
  protocol: protocolText,
  boot: bootId,
  version: machineText,
  engineVersion: machineText.optional(),
  composeVersion: machineText.optional(),
  now: z.number().min(0).max(latestTime),
  /** Orders and fields beyond those of protocol 2.0 that this agent follows. */
  knows: z.array(machineText).max(100).optional(),
  holds: z
    .array(
      z.object({
        stageletUid: opaque(64),
        /** Absent from older agents: they get their bundles once more. */
        projectUid: opaque(64).optional(),
        epoch: z.int().nonnegative(),
        revision: z.int().nonnegative(),
      }),
    )
    .max(limits.holds),
})

/** The desired state of one stagelet; everything but the values. */
const desiredStagelet = z.object({
  uid: z.string(),
  namespace: z.string(),
  name: z.string(),
  generation: z.int(),
  projectUid: z.string(),
  /**
   * Orders are sorted by (epoch, order), whatever revision they name: a rollback is a later order too.
   * A restore of the database raises the epoch. 0 from a controller of protocol 1.0.
   */
  epoch: z.int(),
  order: z.int().default(0),
  /** Revision to run, with all its secrets. 0: no secret yet. */
  revision: z.int(),
  /** The last revision with which the stagelet was healthy: the agent rolls back to it by itself. */
  healthyRevision: z.int().optional(),
  /**
   * The closed revision before `revision`, where it is newer than `healthyRevision`: the agent goes back to it where it
   * holds nothing that failed. Sent only to agents that say that they know it.
   */
  previousRevision: z.int().optional(),
  compose: z.object(composeSpec.shape),
  paused: z.boolean(),
  /** Value of the redeploy annotation. A new value rolls out pending edits. */
  redeploy: z.string(),
  /** Value of the retry annotation. A new value ends every quarantine. */
  retry: z.string().default(''),
  /** Set while the stagelet is being deleted. */
  release: z.enum(['Retain', 'Down']).optional(),
  /** With release Down: remove the volumes too. An agent that does not know this field keeps them. */
  releaseVolumes: z.boolean().optional(),
})

/** Plaintext of a bundle, JSON inside the HPKE ciphertext. `value` is base64. */
export const bundle = z.object({
  entries: z.array(
    z.object({
      secretId: z.string(),
      name: z.string(),
      version: z.int(),
      key: z.string(),
      scope: z.string(),
      type: z.enum(['env', 'file']),
      stagelet: z.string().optional(),
      /** Where the file secret is mounted. */
      file: z.object(fileSpec.shape).optional(),
      bytes: z.int(),
      valueDigest: z.string(),
      /** The value is no secret. An agent that does not know this field hides the value in logs. */
      plain: z.literal(true).optional(),
      value: z.string(),
    }),
  ),
})

/** An instruction for the agent; sent sealed, in an `order`. */
export const orderMessage = z.discriminatedUnion('type', [
  /**
   * The whole desired state: a stagelet that is not in it no longer belongs to this agent. Sent once,
   * after the bundles of its items.
   */
  z.object({ type: z.literal('desired'), items: z.array(desiredStagelet) }),
  /** One stagelet changed. Its bundle, if new, was sent before. */
  z.object({ type: z.literal('stagelet'), item: desiredStagelet }),
  z.object({ type: z.literal('removed'), uid: z.string() }),
  /** Register new keys. An agent that does not know this order keeps its keys. */
  z.object({ type: z.literal('rotateKeys'), request: z.string() }),
  /** Somebody wants to read logs. An agent that does not know this order ignores it. */
  logsOrder,
  /** A credential of a database is to be changed. Sent only to agents that say that they know it. */
  taskOrder,
  /** Somebody wants to know where values lie. Sent only to agents that say that they know it. */
  lookOrder,
  /** Somebody wants to know what was printed. Sent only to agents that say that they know it. */
  countOrder,
])

/** Orders that are asked for once: the next stream does not repeat them. */
export type OnDemandOrder = LogsOrder | TaskOrder | LookOrder | CountOrder

/** An agent that does not say that it knows this field drops the bundle that the field names. */
const previousRevisionField = 'previousRevision' satisfies keyof DesiredStagelet

/** What agents of this version say that they know. */
export const knownToAgent: readonly string[] = [
  taskOrder.shape.type.value,
  lookOrder.shape.type.value,
  countOrder.shape.type.value,
  previousRevisionField,
]

/**
 * The longest delay that an agent accepts from a message that is not sealed: a proxy that once ended
 * TLS must not keep agent and controller apart for longer. 5,000 agents reconnect within a minute.
 */
export const maxUnsealedDelayMs = 5 * 60_000

const pause = (leastMs: number) =>
  z.int().transform((ms) => Math.min(Math.max(ms, leastMs), maxUnsealedDelayMs))

/** Lines of the stream (NDJSON; an empty line is a keep-alive). */
export const streamMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    protocol: z.string(),
    controllerId: z.string(),
    agentUid: z.string(),
    /** HPKE encapsulated key of this stream's context (auth mode), base64url. */
    enc: z.string(),
    keepAliveMs: pause(1),
    /**
     * The first retry after losing the stream is after a random time of 0…spreadMs. The server chooses
     * it by the number of its agents.
     */
    spreadMs: pause(0),
    /** Name of this stream in heartbeats, and their interval (heartbeat.ts). */
    stream: z.string(),
    signMs: pause(1_000),
  }),
  /** An `orderMessage`, sealed: a proxy that ends TLS can neither read nor forge it. */
  z.object({ type: z.literal('order'), seq: z.int(), ciphertext: z.string() }),
  /**
   * Orders and bundles are counted together. `seq` starts at 0 and is the HPKE sequence number; a gap
   * ends the stream.
   */
  z.object({
    type: z.literal('bundle'),
    seq: z.int(),
    projectUid: z.string(),
    stageletUid: z.string(),
    epoch: z.int(),
    revision: z.int(),
    ciphertext: z.string(),
  }),
  /** Asks the agent to reconnect after this time (graceful stop, overload). */
  z.object({ type: z.literal('reconnect'), afterMs: pause(1_000) }),
  z.object({ type: z.literal('error'), reason: z.string(), message: z.string() }),
])

/** The stored form is strict. On the wire, unknown fields of a newer agent are dropped. */
export const reportedStagelet = z.object({
  ...observationSpec.omit({ agent: true, presence: true, boot: true, seq: true, receivedAt: true })
    .shape,
  services: z
    .array(
      z.object({
        ...observedService.shape,
        oldest: z.array(z.object(madeContainer.shape)).max(limits.digests).optional(),
      }),
    )
    .max(limits.services),
  rollout: z.object(observationSpec.shape.rollout.unwrap().shape).optional(),
  /** Whose values are to blame is found by the controller. */
  quarantine: z
    .array(z.object(quarantined.omit({ keys: true }).shape))
    .max(limits.listed)
    .optional(),
  drift: z
    .object({
      ...drift.shape,
      changes: z.array(z.object(drift.shape.changes.element.shape)).max(limits.listed),
    })
    .optional(),
  hand: z.object(manualRun.shape).optional(),
  strays: z.array(z.object(strayService.shape)).max(limits.services).optional(),
  ended: z.array(z.object(endedContainer.shape)).max(limits.listed).optional(),
  removed: z.array(z.object(removedContainer.shape)).max(limits.listed).optional(),
  fault: z.object(observationSpec.shape.fault.unwrap().shape).optional(),
  cut: z.array(z.object(cutField.shape)).max(limits.listed).optional(),
})

/**
 * POST report: observed facts; idempotent. `seq` rises with each report of a boot; an older report is
 * refused.
 */
export const reportRequest = z.object({
  boot: bootId,
  seq: serial,
  observations: z.array(reportedStagelet).max(limits.observations),
})

/**
 * The same, before the stagelets in it are looked at: one that is malformed or too large must not hold
 * up the others. Each is decoded by `fitReport`.
 */
export const reportEnvelope = reportRequest.extend({
  observations: z.array(z.unknown()).max(limits.observations),
})

/** AAD of a bundle: the place that the bundle is bound to. */
export const bundleAad = (b: {
  projectUid: string
  stageletUid: string
  epoch: number
  revision: number
  agentUid: string
}): Buffer =>
  Buffer.from(
    JSON.stringify([
      'stagely bundle v1',
      b.projectUid,
      b.stageletUid,
      b.epoch,
      b.revision,
      b.agentUid,
    ]),
  )

/**
 * Identifies a bundle among those of its stagelet. Includes the project: two projects have the same
 * revision numbers.
 */
export const bundleKey = ({
  projectUid = '',
  epoch,
  revision,
}: Omit<StreamRequest['holds'][number], 'stageletUid'>): string =>
  `${projectUid}/${epoch}/${revision}`

/** Revisions whose bundles an item names: the one to run comes first. An agent drops all others when it takes the item. */
export const namedRevisions = ({
  revision,
  healthyRevision = 0,
  previousRevision = 0,
}: DesiredStagelet): number[] =>
  [...new Set([revision, healthyRevision, previousRevision])].filter((r) => r > 0)

/** For an agent that knows these fields: without a field whose bundle the agent would drop. */
export const asKnown = (item: DesiredStagelet, fields: ReadonlySet<string>): DesiredStagelet => {
  if (fields.has(previousRevisionField)) return item
  const { [previousRevisionField]: _, ...rest } = item
  return rest
}

/**
 * HPKE info of a stream. It contains the proof of the request that opened the stream, so that a
 * recorded stream does not open in answer to another request.
 */
export const streamInfo = (s: {
  controllerId: string
  agentUid: string
  boot: string
  proof: string
}): Buffer =>
  Buffer.from(JSON.stringify(['stagely stream v2', s.controllerId, s.agentUid, s.boot, s.proof]))

/** Body of every refused request. `reason` is for programs, `message` holds the remedy. */
export const refusal = z.object({ reason: z.string(), message: z.string() })

/**
 * Answer to a report: the stagelets whose reports were refused, because they do not (or no longer)
 * belong to this agent.
 */
export const reportResponse = z.object({ refused: z.array(z.string()) })

/** AAD of an order. */
export const orderAad = (agentUid: string): Buffer =>
  Buffer.from(JSON.stringify(['stagely order v1', agentUid]))

export type StreamRequest = z.infer<typeof streamRequest>
export type OrderMessage = z.infer<typeof orderMessage>
export type StreamMessage = z.infer<typeof streamMessage>
export type DesiredStagelet = z.infer<typeof desiredStagelet>
export type Bundle = z.infer<typeof bundle>
export type ReportRequest = z.infer<typeof reportRequest>
/** The report of one stagelet. */
export type ReportedStagelet = z.infer<typeof reportedStagelet>
