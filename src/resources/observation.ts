// The last report of an agent about one stagelet. Internal: stored so that a report to one replica
// wakes the reconciler on another; never served by the API.
import * as z from 'zod'

export const observedService = z.strictObject({
  name: z.string(),
  /** Distinct digest labels of its containers; '' stands for a container without the label. */
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
  /** When the health check of the last of its containers first passed, by the engine. */
  healthySince: z.string().optional(),
  /**
   * Why the service is not well although nothing is being rolled out: container, restarts, health
   * output; masked.
   */
  detail: z.string().optional(),
  /**
   * Services with which it shares a network, IPC or PID namespace, or volumes: it is re-created with
   * them.
   */
  sharesWith: z.array(z.string()).optional(),
  /**
   * A container of one of those services is gone. The shared namespace is unusable until the service is
   * re-created.
   */
  cutOff: z.boolean().optional(),
  /** Names of the variables that the compose file sets itself. */
  composeKeys: z.array(z.string()).optional(),
  /** Digest labels of its running containers of `compose run`, which belong to no rollout. */
  oneOff: z.array(z.string()).optional(),
})

/** Containers with secrets, of a service that the compose files do not name (any more). */
export const strayService = z.strictObject({ name: z.string(), digests: z.array(z.string()) })

/** Secrets with which a service failed its gate: not run again until they change or a retry is requested. */
export const quarantined = z.strictObject({
  service: z.string().describe('The service that failed.'),
  digest: z
    .string()
    .describe('Digest of the secrets of the service; empty for a service without secrets.'),
  revision: z.int().describe('Revision with which the service failed.'),
  retry: z
    .string()
    .describe(
      'Value of the retry annotation when the service failed. A new value permits another attempt.',
    ),
  message: z
    .string()
    .describe('What happened: exit code, restarts, health output, last log lines; masked.'),
  keys: z
    .array(z.string())
    .optional()
    .describe(
      'Keys whose values the service got anew, or no longer got, since the last healthy revision; at most 20. Absent where they are not known.',
    ),
})

/** A change of containers that were right before, made outside of the agent's own rollouts. */
export const drift = z.strictObject({
  state: z.enum(['Found', 'Healed', 'Held', 'Flapping']),
  since: z.string(),
  changes: z.array(
    z.strictObject({
      service: z.string(),
      container: z.string(),
      /** Stopped: somebody asked the engine to stop it; Killed: by a signal; Died: ended by itself. */
      what: z.enum(['Removed', 'Replaced', 'Stopped', 'Killed', 'Died']),
      exitCode: z.int().optional(),
      /** Person and command, when the change was made through the agent: see describeManualRun. */
      by: z.string().optional(),
      /** Out of memory: the limit in bytes, 0 for a container without a limit. */
      outOfMemory: z.int().optional(),
    }),
  ),
})

/** A command that a person ran on the stack through the agent (`stagely compose`). */
export const manualRun = z.strictObject({
  /** The words after `stagely compose`; masked. */
  command: z.string(),
  /** As the command reported it; not proven. */
  user: z.string(),
  at: z.string(),
  exitCode: z.int(),
  /** Services with other containers than before, or in another state. */
  touched: z.array(z.string()),
})

export const describeManualRun = ({ user, command }: Pick<ManualRun, 'user' | 'command'>): string =>
  `${user} (as told) with "stagely compose ${command}"`

/** The person in the text of describeManualRun(). */
export const personOf = (by: string): string => by.replace(/ \(as told\) with "[^]*$/, '')

/** Text for people. `limit` in bytes; 0: no limit. */
export const describeOutOfMemory = (limit: number): string =>
  limit === 0
    ? 'out of memory'
    : `out of memory with a limit of ${Math.round((limit / 2 ** 20) * 10) / 10} MiB`

/** Outcome of the last action. `phase` is the agent's progress with (epoch, revision). */
export const observationSpec = z.strictObject({
  /** `namespace/name` of the agent that reported. */
  agent: z.string(),
  stageletUid: z.string(),
  /** Presence of the agent at the time of the report; see presence.ts. */
  presence: z.string().optional(),
  boot: z.string(),
  seq: z.int(),
  /** When the controller got it. */
  receivedAt: z.string().optional(),
  generation: z.int(),
  /** Project of `revision`. Absent from an older agent. */
  projectUid: z.string().optional(),
  epoch: z.int(),
  revision: z.int(),
  phase: z.enum(['Pending', 'Applying', 'Gating', 'Settled', 'Failed', 'Paused', 'Released']),
  composeProject: z.string().optional(),
  services: z.array(observedService),
  /** Digests that passed the health gate, by service; '' for a service without secrets. */
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
  /** The last such command since the agent started. */
  hand: manualRun.optional(),
  /** What the health gate waits for, such as `web: health check starting`. */
  waitingFor: z.array(z.string()).optional(),
  /** A fault that keeps the agent from acting, such as ComposeInvalid or DirectoryMissing. */
  fault: z
    .strictObject({
      reason: z.string(),
      message: z.string(),
      /** When the engine answered last, by the machine's clock; only where it does not answer now. */
      seenAt: z.string().optional(),
    })
    .optional(),
  /** Services that a pending edit of the compose files would create or re-create. */
  pendingEdits: z.array(z.string()),
  /** Variables of the compose file that neither a secret nor the environment sets. */
  missingVariables: z.array(z.string()),
  /** Keys of file secrets that no service mounts. */
  unmountedFiles: z.array(z.string()).optional(),
  strays: z.array(strayService).optional(),
})

/** Reason of the fault when the engine does not answer: such a report has observed nothing. */
export const engineUnavailable = 'EngineUnavailable'

export type StrayService = z.infer<typeof strayService>
export type Drift = z.infer<typeof drift>
export type ManualRun = z.infer<typeof manualRun>
export type Quarantined = z.infer<typeof quarantined>
export type ObservedService = z.infer<typeof observedService>
export type ObservationSpec = z.infer<typeof observationSpec>
