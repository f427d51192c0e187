// What an agent last reported of one stagelet. Internal: kept in the store so that a report on one
// replica wakes the reconciler on another; never served by the API.
import { z } from 'zod'

export const observedService = z.strictObject({
  name: z.string(),
  /** Digest labels of its containers, distinct; '' stands for a container without one. */
  digests: z.array(z.string()),
  containers: z.int(),
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
  restarts: z.int(),
  exitCode: z.int().optional(),
  since: z.string().optional(),
  /** Where it is not well though nothing is rolled out: container, restarts, health output; masked. */
  detail: z.string().optional(),
  /** Services whose network, IPC or PID namespace, or volumes, it shares: it is re-created with them. */
  sharesWith: z.array(z.string()).optional(),
  /** A container of one of those is gone: what it shares is dead until it is re-created. */
  cutOff: z.boolean().optional(),
  /** Names of the variables that the compose file sets itself. */
  composeKeys: z.array(z.string()).optional(),
})

/** What failed its health gate: not to be run again until it changes, or somebody asks for it. */
export const quarantined = z.strictObject({
  service: z.string().describe('The service that failed.'),
  digest: z
    .string()
    .describe('What it was given, as its digest; empty where it was given nothing.'),
  revision: z.int().describe('Revision that it failed with.'),
  retry: z.string().describe('Value of the retry annotation at that time; another one ends this.'),
  message: z
    .string()
    .describe('What happened: exit code, restarts, health output, last log lines; masked.'),
})

/** What somebody or something changed of containers that were right. */
export const drift = z.strictObject({
  state: z.enum(['Found', 'Healed', 'Held', 'Flapping']),
  since: z.string(),
  changes: z.array(
    z.strictObject({
      service: z.string(),
      container: z.string(),
      /** Stopped: somebody asked the engine to; Killed: by a signal; Died: by itself. */
      what: z.enum(['Removed', 'Replaced', 'Stopped', 'Killed', 'Died']),
      exitCode: z.int().optional(),
      /** Who did it through the agent, and how: see describeHand. */
      by: z.string().optional(),
      /** It ran out of memory: its limit in bytes, 0 where it has none of its own. */
      outOfMemory: z.int().optional(),
    }),
  ),
})

/** What a person did to the stack through the agent (`stagely compose`). */
export const handRun = z.strictObject({
  /** What followed `stagely compose`; masked. */
  command: z.string(),
  /** As the command said: nothing proves it. */
  user: z.string(),
  at: z.string(),
  exitCode: z.int(),
  /** Services whose containers are others since, or in another state. */
  touched: z.array(z.string()),
})

export const describeHand = ({ user, command }: Pick<HandRun, 'user' | 'command'>): string =>
  `${user} (as told) with "stagely compose ${command}"`

/** For people; `limit` in bytes, 0 for none. */
export const describeOutOfMemory = (limit: number): string =>
  limit === 0
    ? 'out of memory'
    : `out of memory with a limit of ${Math.round((limit / 2 ** 20) * 10) / 10} MiB`

/** Outcome of the last action. `phase` says where the agent stands with (epoch, revision). */
export const observationSpec = z.strictObject({
  /** `namespace/name` of the agent that reported. */
  agent: z.string(),
  stageletUid: z.string(),
  /** Of the agent when it reported; see presence.ts. */
  presence: z.string().optional(),
  boot: z.string(),
  seq: z.int(),
  generation: z.int(),
  /** Of the Project that `revision` is one of; an older agent does not say. */
  projectUid: z.string().optional(),
  epoch: z.int(),
  revision: z.int(),
  phase: z.enum(['Pending', 'Applying', 'Gating', 'Settled', 'Failed', 'Paused', 'Released']),
  composeProject: z.string().optional(),
  services: z.array(observedService),
  /** Digests for which the health gate passed, by service; empty where it was given nothing. */
  passed: z.record(z.string(), z.string()),
  rollout: z
    .strictObject({
      revision: z.int(),
      result: z.enum(['Progressing', 'Healthy', 'Failed', 'RolledBack']),
      startedAt: z.string().optional(),
      finishedAt: z.string().optional(),
      recreated: z.array(z.string()).optional(),
      cascaded: z.array(z.string()).optional(),
      service: z.string().optional(),
      message: z.string().optional(),
    })
    .optional(),
  quarantine: z.array(quarantined).optional(),
  drift: drift.optional(),
  /** The last one since the agent started. */
  hand: handRun.optional(),
  /** What the health gate is waiting for, such as `web: health check starting`. */
  waitingFor: z.array(z.string()).optional(),
  /** A fault that keeps the agent from acting, such as ComposeInvalid or DirectoryMissing. */
  fault: z.strictObject({ reason: z.string(), message: z.string() }).optional(),
  /** Services that a pending edit of the user's files would re-create or create. */
  pendingEdits: z.array(z.string()),
  /** Variables of the compose file that neither a secret nor the environment sets. */
  missingVariables: z.array(z.string()),
  /** Keys of file secrets that no service mounts. */
  unmountedFiles: z.array(z.string()).optional(),
})

/** Reason of the fault of an agent whose engine does not answer: such a report has seen nothing. */
export const engineUnavailable = 'EngineUnavailable'

export type Drift = z.infer<typeof drift>
export type HandRun = z.infer<typeof handRun>
export type Quarantined = z.infer<typeof quarantined>
export type ObservedService = z.infer<typeof observedService>
export type ObservationSpec = z.infer<typeof observationSpec>
