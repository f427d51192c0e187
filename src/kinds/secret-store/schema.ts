// A SecretStore is somebody else's store of secrets that the controller reads from.
import * as z from 'zod'
import { environmentName } from '../shared/environment.ts'
import { count, limits, message, instant, word } from '../../resources/limits.ts'
import type { Fault } from '../../kernel/errors.ts'
import { isRecord } from '../../kernel/record.ts'
import { duration, durationMs } from '../../resources/duration.ts'
import {
  conditionsSchema,
  nameOfKind,
  objectName,
  refSchema,
} from '../../resources/schema-parts.ts'
import {
  checkProvider,
  oneProviderRule,
  providerFields,
  providerNames,
  type ProviderName,
} from './providers.ts'
import { forbiddenField } from '../../resources/validation/faults.ts'

const oneCredential = 'give exactly one of secretRef and identity'
const needsCredential =
  'say by what the store knows the controller: secretRef (a secret with audience: Controller) or identity; only command does without'

const queueOfAws = 'only a store of AWS (aws) has a queue of notifications'

const text = (most: number): z.ZodString => z.string().min(1).max(most)

/** At least 30 s. A store that changes more often should send notifications (push). */
const interval = z
  .string({ error: 'must be text, such as 5m' })
  .regex(
    /^([3-9][0-9]|[1-9][0-9]{2,4})s$|^[1-9][0-9]{0,4}[mhd]$/,
    'must be a whole number and a unit, 30s at least: 30s, 5m, 1h',
  )

const hookSignatures = ['StandardWebhooks', 'Infisical', 'Doppler'] as const

export const secretStoreSpec = z
  .strictObject({
    ...providerFields,
    auth: z
      .strictObject({
        secretRef: refSchema('StagelySecret')
          .optional()
          .describe('Secret (audience: Controller) whose value is the credential.'),
        identity: objectName
          .optional()
          .describe(
            "An identity of the controller's configuration, which names the teams that may use it.",
          ),
      })
      .meta({
        'x-kubernetes-validations': [
          { rule: 'has(self.secretRef) != has(self.identity)', message: oneCredential },
        ],
      })
      .optional()
      .describe('By what the store knows the controller.'),
    allow: z
      .strictObject({
        projects: z
          .array(nameOfKind('Project'))
          .min(1)
          .max(1000)
          .describe('Projects of the namespace whose secrets may take values from the store.'),
        environments: z
          .array(environmentName)
          .min(1)
          .max(limits.environments)
          .optional()
          .describe(
            'Environments whose secrets may take values from the store; all, and secrets of the whole project, when absent.',
          ),
        remote: z
          .array(text(1024))
          .min(1)
          .max(1000)
          .describe('Keys of the store that they may name; * stands for any text.'),
      })
      .optional()
      .describe('Who may read what through the store; nobody anything when absent.'),
    refresh: z
      .strictObject({
        every: interval.optional().describe('How often the store is looked at; 5m when absent.'),
        maxCallsPerMinute: z
          .int()
          .min(1)
          .max(10_000)
          .optional()
          .describe('Calls a minute that the store is asked at most; 60 when absent.'),
      })
      .optional()
      .describe('How often the store is asked.'),
    staleAfter: duration
      .optional()
      .describe(
        'From when values that could not be looked at are called stale; 24h when absent. They go on being served.',
      ),
    onMissing: z
      .enum(['Keep', 'Remove'])
      .optional()
      .describe(
        'What happens to a secret whose key is gone from the store. Keep when absent: it keeps its value, and says so. Remove: it is deleted after two looks, and can be restored.',
      ),
    push: z
      .strictObject({
        hook: z
          .strictObject({
            signingKeyRef: refSchema('StagelySecret').describe(
              'Secret (audience: Controller) whose value signs the notifications.',
            ),
            signature: z.enum(hookSignatures).describe('How notifications are signed.'),
          })
          .optional()
          .describe('The store posts to /hooks/stores/ID when something has changed.'),
        sqs: z
          .strictObject({
            queueUrl: text(2048)
              .regex(/^https?:\/\/[^\s@?#]+$/, 'must be the URL of the queue')
              .describe('URL of the queue.'),
          })
          .optional()
          .describe(
            'With aws: a queue of this store alone that gets the events of EventBridge. Each message that it holds is deleted.',
          ),
      })
      .optional()
      .describe('How the store tells that something has changed. A notification carries no value.'),
  })
  .meta({
    'x-kubernetes-validations': [
      oneProviderRule,
      { rule: 'has(self.auth) || has(self.command)', message: needsCredential, fieldPath: '.auth' },
      {
        rule: '!has(self.push) || !has(self.push.sqs) || has(self.aws)',
        message: queueOfAws,
        fieldPath: '.push',
      },
    ],
  })

const time = (description: string): z.ZodOptional<z.ZodString> =>
  instant.optional().describe(description)

export const secretStoreStatus = z.strictObject({
  observedGeneration: count
    .optional()
    .describe('metadata.generation of the spec that this status describes.'),
  provider: z.enum(providerNames).optional().describe('Which kind of store it is.'),
  identity: message.optional().describe('Whom the store takes the controller for.'),
  secrets: count.optional().describe('How many secrets take their value from it.'),
  lastLookAt: time(
    'When it was looked at last. While nothing changes this status is written every 10 minutes at most.',
  ),
  nextLookAt: time('When it was to be looked at next, as this status was written.'),
  callsPerMinute: count.optional().describe('Calls of the last minute with any.'),
  lagSeconds: count
    .optional()
    .describe('How old its answers may be, by its own documents or words.'),
  credential: word
    .optional()
    .describe('Which credential the conditions are about. Not the credential.'),
  answered: z
    .strictObject({
      refresh: z.string().max(limits.annotation).optional().describe('Of stagely.dev/refresh.'),
      check: z.string().max(limits.annotation).optional().describe('Of stagely.dev/check.'),
      resume: z.string().max(limits.annotation).optional().describe('Of stagely.dev/resume-store.'),
    })
    .optional()
    .describe('The last requests that were answered.'),
  conditions: conditionsSchema,
})

export type SecretStoreSpec = z.infer<typeof secretStoreSpec>
export type SecretStoreStatus = z.infer<typeof secretStoreStatus>

/** ms. */
export const everyMsOf = ({ refresh }: SecretStoreSpec): number => {
  const { every = '5m' } = refresh ?? {}
  return durationMs(every)
}

export const staleMsOf = ({ staleAfter = '24h' }: SecretStoreSpec): number => durationMs(staleAfter)

export const providerOf = (spec: SecretStoreSpec): ProviderName | undefined =>
  providerNames.find((name) => spec[name] !== undefined)

const required = (field: string, message: string): Fault => ({
  field,
  reason: 'FieldValueRequired',
  message: `Required value: ${message}`,
})
const invalid = (field: string, message: string): Fault => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${message}`,
})
/** The host of a URL, as it would be called; undefined where it is none. */
const hostOf = (url: unknown): string | undefined => {
  if (typeof url !== 'string' || !URL.canParse(url)) return undefined
  return new URL(url).hostname
}

/** Addresses of the clouds' metadata services, which hold credentials of machines: never a store, also where the gate allows them. */
const isMetadataHost = (host: string): boolean =>
  /^169\.254\.\d+\.\d+$/.test(host) ||
  /^\[fe[89ab][0-9a-f]:/.test(host) ||
  /^\[::ffff:a9fe:/.test(host) ||
  host === '[fd00:ec2::254]' ||
  host === 'metadata.google.internal'

const addresses = ['address', 'endpoint', 'stsEndpoint', 'queueUrl'] as const

const checkAddresses = (spec: Record<string, unknown>): Fault[] => {
  const parts = [
    ...providerNames.map((name) => [`spec.${name}`, spec[name]] as const),
    ['spec.push.sqs', isRecord(spec.push) ? spec.push.sqs : undefined] as const,
  ]
  return parts.flatMap(([path, part]) =>
    addresses.flatMap((name) => {
      const host = isRecord(part) ? hostOf(part[name]) : undefined
      if (host === undefined || !isMetadataHost(host)) return []
      const message = `${host} is a link-local address, where clouds keep credentials of machines`
      return [forbiddenField(`${path}.${name}`, message)]
    }),
  )
}

const checkPush = (spec: Record<string, unknown>): Fault[] => {
  const sqs = isRecord(spec.push) ? spec.push.sqs : undefined
  if (sqs === undefined) return []
  const { queueUrl: url } = isRecord(sqs) ? sqs : {}
  const isNone = typeof url === 'string' && /^https?:\/\//.test(url) && !URL.canParse(url)
  return [
    ...(spec.aws === undefined ? [forbiddenField('spec.push.sqs', queueOfAws)] : []),
    ...(isNone ? [invalid('spec.push.sqs.queueUrl', 'must be the URL of the queue')] : []),
  ]
}

const checkAuth = (spec: Record<string, unknown>): Fault[] => {
  if (spec.auth === undefined)
    return spec.command === undefined ? [required('spec.auth', needsCredential)] : []
  if (!isRecord(spec.auth)) return []
  const { secretRef, identity } = spec.auth
  if ((secretRef === undefined) !== (identity === undefined)) return []
  return [forbiddenField('spec.auth', oneCredential)]
}

/** Rules that the schema cannot express. */
export const checkSecretStore = (spec: Record<string, unknown>): Fault[] => [
  ...checkProvider(spec),
  ...checkAuth(spec),
  ...checkAddresses(spec),
  ...checkPush(spec),
]
