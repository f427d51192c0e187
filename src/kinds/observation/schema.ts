// The last report of an agent about one stagelet. Internal: stored so that a report to one replica
// wakes the reconciler on another; never served by the API.
import * as z from 'zod'
import { count, instant, limits, mapOf } from '../../resources/limits.ts'
import { opaque, told, toldCount, toldLines } from '../../resources/told.ts'

const name = told(limits.name)
const word = told(limits.word)
const message = toldLines(limits.message)
/** Of a label, which anybody writes. */
const digestText = told(limits.digest)

const services = z.array(name).max(limits.services)
const keys = z.array(name).max(limits.keys)
const digests = z.array(digestText).max(limits.digests)
/** As the engine says it. */
const exitCode = z.int().min(-2_147_483_648).max(4_294_967_295)
/** Bytes: a pebibyte. */
const mostMemory = 2 ** 50

/** `made`: as the engine says it. */
export const madeContainer = z.strictObject({ id: word, made: instant })

export const observedService = z.strictObject({
  name,
  /** Distinct digest labels of its containers; '' stands for a container without the label. */
  digests,
  containers: toldCount,
  state: z.enum([
    'running',
    'restarting',
    'exited',
    'completed',
    'created',
    'paused',
    'missing',
    'scaledToZero',
  ]),
  health: z.enum(['healthy', 'unhealthy', 'starting']).optional(),
  restarts: toldCount,
  exitCode: exitCode.optional(),
  since: instant.optional(),
  /** For each of `digests`, the oldest container with it; of those without the label too. Absent from an older agent. */
  oldest: z.array(madeContainer).max(limits.digests).optional(),
  /** Ports of the machine that its containers publish, such as `20001/tcp` or `127.0.0.1:20001/tcp`; absent for none. */
  ports: z.array(name).max(limits.sharing).optional(),
  /** When the health check of the last of its containers first passed, by the engine. */
  healthySince: instant.optional(),
  /**
   * Why the service is not well although nothing is being rolled out: container, restarts, health
   * output; masked.
   */
  detail: message.optional(),
  /**
   * Services with which it shares a network, IPC or PID namespace, or volumes: it is re-created with
   * them.
   */
  sharesWith: z.array(name).max(limits.sharing).optional(),
  /**
   * A container of one of those services is gone. The shared namespace is unusable until the service is
   * re-created.
   */
  cutOff: z.boolean().optional(),
  /** Names of the variables that the compose file sets itself. */
  composeKeys: keys.optional(),
  /** Digest labels of its running containers of `compose run`, which belong to no rollout. */
  oneOff: digests.optional(),
})

/** Containers with secrets, of a service that the compose files do not name (any more). */
export const strayService = z.strictObject({ name, digests })

/** A container with secrets that has ended and belongs to no rollout: of compose run, or of a service that is gone. */
export const endedContainer = z.strictObject({ service: name, container: name, digest: digestText })

/** A container with secrets that is no more, by the engine's events. `made`: absent where the agent did not see that. */
export const removedContainer = z.strictObject({
  id: word,
  service: name,
  digest: digestText,
  made: instant.optional(),
  at: instant,
})

/** Secrets with which a service failed its gate: not run again until they change or a retry is requested. */
export const quarantined = z.strictObject({
  service: name.describe('The service that failed.'),
  digest: digestText.describe(
    'Digest of the secrets of the service; empty for a service without secrets.',
  ),
  revision: count.describe('Revision with which the service failed.'),
  retry: opaque(limits.annotation).describe(
    'Value of the retry annotation when the service failed. A new value permits another attempt.',
  ),
  message: message.describe(
    'What happened: exit code, restarts, health output, last log lines; masked.',
  ),
  keys: z
    .array(name)
    .max(limits.listed)
    .optional()
    .describe(
      'Keys whose values the service got anew, or no longer got, since the last healthy revision; at most 20. Absent where they are not known.',
    ),
})

/** A change of containers that were right before, made outside of the agent's own rollouts. */
export const drift = z.strictObject({
  state: z.enum(['Found', 'Healed', 'Held', 'Flapping']),
  since: instant,
  changes: z
    .array(
      z.strictObject({
        service: name,
        container: name,
        /** Stopped: somebody asked the engine to stop it; Killed: by a signal; Died: ended by itself. */
        what: z.enum(['Removed', 'Replaced', 'Stopped', 'Killed', 'Died']),
        exitCode: exitCode.optional(),
        /** Person and command, when the change was made through the agent: see describeManualRun. */
        by: message.optional(),
        /** Out of memory: the limit in bytes, 0 for a container without a limit. */
        outOfMemory: z.int().min(0).max(mostMemory).optional(),
      }),
    )
    .max(limits.listed),
})

/** A command that a person ran on the stack through the agent (`stagely compose`). */
export const manualRun = z.strictObject({
  /** The words after `stagely compose`; masked. */
  command: message,
  /** As the command reported it; not proven. */
  user: name,
  at: instant,
  exitCode,
  /** Services with other containers than before, or in another state. */
  touched: services,
})

export const describeManualRun = ({ user, command }: Pick<ManualRun, 'user' | 'command'>): string =>
  `${user} (as told) with "stagely compose ${command}"`

/** The text of describeManualRun(): a person, and a command. */
const manualRunText = /^([^]*?)(?: \(as told\)( with "[^]*)?)?$/

/** The author of a change, with who says so: the agent alone knows it, and repeats what a command reported. `agent` '': nobody knows which. */
export const authorAsTold = (by: string, agent: string): string =>
  `${manualRunText.exec(by)![1]!} (as told by ${agent === '' ? 'the agent' : `agent ${agent}`})`

/** The same with the command. */
export const runAsTold = (by: string, agent: string): string =>
  authorAsTold(by, agent) + (manualRunText.exec(by)![2] ?? '')

/** Text for people. `limit` in bytes; 0: no limit. */
export const describeOutOfMemory = (limit: number): string =>
  limit === 0
    ? 'out of memory'
    : `out of memory with a limit of ${Math.round((limit / 2 ** 20) * 10) / 10} MiB`

/** A part of a report that holds more than is kept. */
export const cutField = z.strictObject({
  /** `services`, `services[].detail`. */
  field: name,
  /** Entries or characters, of the largest. */
  had: toldCount,
  kept: toldCount,
})

/** Outcome of the last action. `phase` is the agent's progress with (epoch, revision). */
export const observationSpec = z.strictObject({
  /** `namespace/name` of the agent that reported. */
  agent: z.string().max(2 * limits.name),
  stageletUid: opaque(64),
  /** Presence of the agent at the time of the report; see presence.ts. */
  presence: word.optional(),
  boot: word,
  seq: count,
  /** When the controller got it. */
  receivedAt: instant.optional(),
  generation: count,
  /** Project of `revision`. Absent from an older agent. */
  projectUid: opaque(64).optional(),
  epoch: count,
  revision: count,
  phase: z.enum(['Pending', 'Applying', 'Gating', 'Settled', 'Failed', 'Paused', 'Released']),
  composeProject: name.optional(),
  services: z.array(observedService).max(limits.services),
  /** Digests that passed the health gate, by service; '' for a service without secrets. */
  passed: mapOf(digestText, { most: limits.services, key: name }),
  rollout: z
    .strictObject({
      revision: count,
      result: z.enum(['Progressing', 'Healthy', 'Failed', 'RolledBack']),
      startedAt: instant.optional(),
      finishedAt: instant.optional(),
      recreated: services.optional(),
      cascaded: services.optional(),
      service: name.optional(),
      message: message.optional(),
    })
    .optional(),
  quarantine: z.array(quarantined).max(limits.listed).optional(),
  drift: drift.optional(),
  /** The last such command since the agent started. */
  hand: manualRun.optional(),
  /** What the health gate waits for, such as `web: health check starting`. */
  waitingFor: z.array(message).max(limits.services).optional(),
  /** A fault that keeps the agent from acting, such as ComposeInvalid or DirectoryMissing. */
  fault: z
    .strictObject({
      reason: word,
      message,
      /** When the engine answered last, by the machine's clock; only where it does not answer now. */
      seenAt: instant.optional(),
    })
    .optional(),
  /** Value of the redeploy annotation that the agent has followed, also where nothing was to be done. */
  deployed: opaque(limits.annotation).optional(),
  /** Services that a pending edit of the compose files would create or re-create. */
  pendingEdits: services,
  /** Variables of the compose file that neither a secret nor the environment sets. */
  missingVariables: keys,
  /** Keys of file secrets that no service mounts. */
  unmountedFiles: keys.optional(),
  strays: z.array(strayService).max(limits.services).optional(),
  ended: z.array(endedContainer).max(limits.listed).optional(),
  /** The last ones, the newest last. */
  removed: z.array(removedContainer).max(limits.listed).optional(),
  /** What was left out, since it is more than the schema allows: see src/protocol/fit-report.ts. */
  cut: z.array(cutField).max(limits.listed).optional(),
})

/** Reason of the fault when the engine does not answer: such a report has observed nothing. */
export const engineUnavailable = 'EngineUnavailable'

export type CutField = z.infer<typeof cutField>
export type EndedContainer = z.infer<typeof endedContainer>
export type RemovedContainer = z.infer<typeof removedContainer>
export type StrayService = z.infer<typeof strayService>
export type Drift = z.infer<typeof drift>
export type ManualRun = z.infer<typeof manualRun>
export type Quarantined = z.infer<typeof quarantined>
export type ObservedService = z.infer<typeof observedService>
export type ObservationSpec = z.infer<typeof observationSpec>
