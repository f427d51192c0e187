import * as z from 'zod'
import { count, limits, message, instant, word } from '../../resources/limits.ts'
import { holding } from '../../resources/holdings.ts'
import { containerPath, pathIn } from '../../resources/paths.ts'
import { conditionsSchema, objectName, refSchema } from '../../resources/schema-parts.ts'
import { environmentName } from '../shared/environment.ts'
import { expirySpec } from './expiry.ts'
import { secretRules } from './cel.ts'
import { mostFindings, secretFinding } from './findings.ts'
import { formats, valueFrom } from './value-source.ts'

/** Linux passes an environment entry, `KEY=VALUE` plus NUL, of at most this many bytes (MAX_ARG_STRLEN). */
export const maxEnvEntryBytes = 131_072
/** Maximum size of a file secret. */
export const maxFileBytes = 1_048_576

export const fileSpec = z.strictObject({
  path: pathIn('composeFile', z.string().min(1).max(4096))
    .optional()
    .describe(
      'Path the compose file uses, relative to the compose directory: ./config/firebase.json',
    ),
  mode: z
    .string({ error: 'a mode is text; quote it: "0600"' })
    .regex(/^0?[0-7]{3}$/, 'must be an octal mode in quotes, such as "0600"')
    .optional()
    .describe('Permissions as quoted octal text; "0600" when absent.'),
  uid: z.int().min(0).max(4294967294).optional().describe('Owner in the container; 0 when absent.'),
  gid: z.int().min(0).max(4294967294).optional().describe('Group in the container; 0 when absent.'),
  target: containerPath().optional().describe('Absolute path in the container.'),
  envVar: z
    .string()
    .max(limits.name)
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
    .optional()
    .describe('Name of a variable that points at the file, such as DB_PASSWORD_FILE.'),
})

/** `hpke2:<key id>:<base64>`; see src/protocol/sealed-value.ts. */
const sealedValuePattern = /^hpke[12]:[0-9a-f]{16}:[A-Za-z0-9+/]+={0,2}$/

const quoteIt = {
  error: ({ input }: { readonly input?: unknown }) =>
    input === undefined ? undefined : 'must be text; quote it in YAML',
}

export const audiences = ['Services', 'Controller'] as const
export const visibilities = ['Masked', 'Plain'] as const
/** Most bytes of a plain value that are shown. */
export const maxShownBytes = 65_536

export const secretSpec = z
  .strictObject({
    projectRef: refSchema('Project').describe(
      'The project that the secret belongs to. Does not change.',
    ),
    key: z
      .string(quoteIt)
      .min(1)
      .max(255)
      .regex(
        /^[A-Za-z_][A-Za-z0-9_.-]*$/,
        'must begin with a letter or "_" and hold only letters, digits, "_", "." and "-"',
      )
      .describe('Variable name, such as DATABASE_URL. Does not change.'),
    scope: z
      .string(quoteIt)
      .regex(/^[a-zA-Z0-9._-]{1,255}$/, 'must be "global" or the exact name of a Compose service')
      .default('global')
      .describe('"global", or the one Compose service that sees the secret.'),
    type: z.enum(['env', 'file']).default('env').describe('Environment variable, or file.'),
    stageletRef: z
      .strictObject({ name: objectName.describe('Name of the Stagelet, in the same namespace.') })
      .optional()
      .describe(
        'Restricts the secret to one Stagelet. There it takes precedence over a secret of the whole project.',
      ),
    environments: z
      .array(environmentName)
      .min(1)
      .max(16)
      .optional()
      .describe(
        'Environments of the project whose stagelets see the secret, in place of all. There it takes precedence over a secret of the whole project. Not with stageletRef.',
      ),
    audience: z
      .enum(audiences)
      .optional()
      .describe(
        'Who gets the value; Services when absent. Controller: no service or other secret ever sees it; it is for what the controller itself does, such as sending notices. An agent gets it only where a Rotation names it as adminRef. A secret for the controller that has a value never becomes one for services.',
      ),
    visibility: z
      .enum(visibilities)
      .optional()
      .describe(
        'Masked when absent: nobody reads the value without the right to reveal it. Plain: it is no secret; status.value shows it, and logs do not hide it. A masked value becomes plain only by somebody who may reveal it, and never if a Rotation, a store or a generator made it.',
      ),
    file: fileSpec.optional().describe('Place of a secret of type file in the container.'),
    value: holding('value', z.string(quoteIt).max(limits.value))
      .optional()
      .describe('The value as text. Write-only: never read back.'),
    valueBase64: holding(
      'value',
      z
        .string(quoteIt)
        .max(limits.value)
        .regex(/^[A-Za-z0-9+/\s]*={0,2}\s*$/, 'must be standard base64'),
    )
      .optional()
      .describe('The value as base64, for bytes that are not text. Write-only: never read back.'),
    sealedValue: holding(
      'value',
      z
        .string(quoteIt)
        .max(2_000_000)
        .regex(sealedValuePattern, 'must be what "stagely seal" printed'),
    )
      .optional()
      .describe(
        'The value as `stagely seal` made it for exactly this secret; safe to keep in Git. Write-only: never read back.',
      ),
    valueFrom: valueFrom.optional().describe('Source of the value, in place of a written value.'),
    references: z
      .boolean()
      .optional()
      .describe(
        'True: "${KEY}" and "${service/KEY}" in the value are the values of other secrets of the project; "$${" is a literal "${".',
      ),
    format: z
      .enum(formats)
      .optional()
      .describe('Format of the value. A write with a value of another format is refused.'),
    pattern: z
      .string(quoteIt)
      .min(1)
      .max(512)
      .optional()
      .describe(
        'With format: regex: the pattern that the whole value must match (JavaScript, flag u).',
      ),
    expiry: expirySpec
      .optional()
      .describe(
        'When the value ends, and what happens then. The end of a certificate is read from it, also without this.',
      ),
  })
  .meta({ 'x-kubernetes-validations': secretRules })
  .describe(
    'At most one of value, valueBase64, sealedValue and valueFrom; with none, the stored value stays.',
  )

export const secretStatus = z.strictObject({
  observedGeneration: count
    .optional()
    .describe('metadata.generation of the spec that this status describes.'),
  version: count.optional().describe('Version of the stored value; absent while there is none.'),
  value: holding('plain', z.string().max(maxShownBytes))
    .optional()
    .describe(
      'The stored value, with visibility: Plain: references as they are written. Absent where it is no text, or longer than 65536 bytes.',
    ),
  bytes: count.optional().describe('Length of the stored value in bytes.'),
  updatedAt: instant.optional().describe('When this version was written.'),
  updatedBy: z.string().max(1_024).optional().describe('Who wrote this version.'),
  valueSince: instant
    .optional()
    .describe(
      'When this value was given first: a move to another place keeps it, and so does a rollback.',
    ),
  certificateEndsAt: instant
    .optional()
    .describe('When the first of the certificates in the value ends.'),
  expiresAt: instant.optional().describe('When the value ends; absent while it has no end.'),
  expiresFrom: z
    .enum(['Spec', 'Certificate', 'Store'])
    .optional()
    .describe(
      'What says so: spec.expiry, the certificate that the value is, or the store that it comes from.',
    ),
  rotationDueAt: instant
    .optional()
    .describe('When the value is older than spec.secretPolicy of the project allows.'),
  knownOutside: z
    .strictObject({
      people: count.describe('How many people. The audit log has their names.'),
      since: instant.describe('Since when the controller knows of it.'),
    })
    .optional()
    .describe('People have read this value who may not read values of the project any more.'),
  readBy: z
    .strictObject({
      request: objectName.describe('Name of the AccessRequest.'),
      at: instant.describe('When it was read last.'),
    })
    .optional()
    .describe('Somebody has read this value by an AccessRequest that has ended.'),
  findings: z
    .array(secretFinding)
    .max(mostFindings)
    .optional()
    .describe('Files in which `stagely scan --report` has found a value of the secret.'),
  plainUntil: instant
    .optional()
    .describe('The value was plain until then, so that others may know it.'),
  renewals: count
    .optional()
    .describe('How often the controller has made a new value at the end of the one before.'),
  rotated: z
    .strictObject({
      place: message.describe('Where the logins are.'),
      logins: z.array(word).max(limits.listed).describe('Names of the logins.'),
    })
    .optional()
    .describe(
      'Of an output of a Rotation: the logins that it has set. Another Rotation of the same outputs at the same place goes on with them.',
    ),
  external: z
    .strictObject({
      version: message.optional().describe('Version in the words of the store.'),
      fetchedAt: instant.optional().describe('When this version was fetched.'),
      place: word.optional().describe('Digest of the store and the key that it was fetched from.'),
      expiresAt: instant
        .optional()
        .describe('When this version ends in the store, where the store says so.'),
      missingSince: instant
        .optional()
        .describe('Since when the store says that it has no such secret.'),
    })
    .optional()
    .describe('Of a value from a store (valueFrom.external): what was fetched last.'),
  references: z
    .array(z.string().max(2 * limits.name))
    .max(limits.keys)
    .optional()
    .describe('Secrets that the value refers to, with spec.references.'),
  awaits: z
    .array(z.string().max(2 * limits.name))
    .max(limits.keys)
    .optional()
    .describe(
      'References of the value that was given last, whose secrets have no value yet: it takes effect when they have. Until then the value before stays.',
    ),
  publicKey: message.optional().describe('Public half (SPKI PEM) of a keypair that was generated.'),
  serviceCount: count.optional().describe('How many services see the secret, over all stagelets.'),
  services: z
    .array(z.string().max(2 * limits.name))
    .max(limits.listed)
    .optional()
    .describe('The first 20 of them, as stagelet/service.'),
  conditions: conditionsSchema,
})

export type SecretSpec = z.infer<typeof secretSpec>
export type SecretStatus = z.infer<typeof secretStatus>
export type FileSpec = z.infer<typeof fileSpec>
