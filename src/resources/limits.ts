// How much a text, a list or a map from outside may hold: from agents, other replicas, browsers and people. Each is far
// above what Docker, Compose and practice use. Schemas name them; bounds.test.ts refuses a schema without one.
import * as z from 'zod'
import { isInstant } from '../kernel/clock.ts'

export const limits = {
  /** Characters of a name: of a service, container, project, variable or key. */
  name: 256,
  /** Characters of an id, or of a reason that programs read. */
  word: 256,
  /** Characters of a time. */
  time: 64,
  /** Characters of a digest label: SHA-256 in hex has 64. */
  digest: 128,
  /** Characters of a path: PATH_MAX of Linux. */
  path: 4_096,
  /** Characters of what a program or a person says, with lines of a log. */
  message: 16_384,
  /** Characters of the message of a condition, as in Kubernetes. */
  conditionMessage: 32_768,
  /** Characters of an annotation: all annotations of an object have so many bytes at most. */
  annotation: 262_144,
  /** Conditions of an object. */
  conditions: 100,
  /** Services of a stack: a network of Docker connects 1,023 containers. */
  services: 1_000,
  /** Different digests of the containers of one service. */
  digests: 50,
  /** Keys of secrets, or variables, of one service. */
  keys: 1_000,
  /** Services that one service shares a namespace or volumes with. */
  sharing: 100,
  /** Failures that still count, changes that a drift names, and lists for people. */
  listed: 100,
  /** Stagelets in one report of an agent, which sends 50. */
  observations: 200,
  /** Characters of the report of one stagelet, as JSON. */
  observation: 1_048_576,
  /** Environments of a project. */
  environments: 64,
  /** Stagelets that an object of the controller names. */
  stagelets: 10_000,
  /** Services of all stagelets of a project. */
  allServices: 100_000,
  /** Labels, annotations, references and other entries of an object. */
  entries: 1_000,
  /** Characters of a value of a secret: 1 MiB as base64, with line breaks. */
  value: 1_500_000,
  /** Names of keys in the status of one stagelet, over all of its services. */
  keysInStatus: 20_000,
  /** Bundles that an agent says it holds. */
  holds: 10_000,
  /** Files, profiles and paths that the spec of a stack names. */
  files: 256,
  /** Records in one batch of logs. */
  logRecords: 20_000,
  /** Characters of one line of a log: 32 KiB, and what masking adds. */
  logLine: 262_144,
} as const

export const name = z.string().max(limits.name)
export const word = z.string().max(limits.word)
/** A moment as in RFC 3339: what it makes is a Date. */
export const instant = z
  .string()
  .max(limits.time)
  .refine(isInstant, 'must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z')
  .meta({ format: 'date-time' })
export const digestText = z.string().max(limits.digest)
/** `stagelet/service`, `namespace/name`. */
export const twoNames = z.string().max(2 * limits.name + 1)
export const path = z.string().max(limits.path)
export const message = z.string().max(limits.message)
export const count = z.int().min(0)

/** A map with a bound on its keys. Schemas of JSON and of CRDs say it too. */
export const mapOf = <Value extends z.ZodType>(
  value: Value,
  { most, key = name }: { readonly most: number; readonly key?: z.ZodString },
): z.ZodRecord<z.ZodString, Value> =>
  z
    .record(key, value)
    .refine((map) => Object.keys(map).length <= most, `must have at most ${most} entries`)
    .meta({ maxProperties: most })
