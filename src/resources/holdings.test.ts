import { expect, it } from 'vitest'
import type * as z from 'zod'
import { leavesOf, typeOf } from '../../test/support/http/schema-leaves.ts'
import { holdingOf } from './holdings.ts'
import { kinds } from '../kinds/index.ts'

const texts = kinds.flatMap(({ kind, spec, status }) =>
  [
    ...leavesOf(spec, `${kind}.spec`),
    ...(status === undefined ? [] : leavesOf(status, `${kind}.status`)),
  ].filter(({ schema }) => typeOf(schema) === 'string'),
)

const isInstant = (schema: z.ZodType): boolean => schema.meta()?.['format'] === 'date-time'

it('these texts hold something of a secret, and no other one does', () => {
  const held = texts.flatMap(({ path, schema }) => {
    const holds = holdingOf(schema)
    return holds === undefined ? [] : [`${path}: ${holds}`]
  })
  expect(held).toEqual([
    'StagelySecret.spec.value: value',
    'StagelySecret.spec.valueBase64: value',
    'StagelySecret.spec.sealedValue: value',
    'StagelySecret.status.value: plain',
    'Notifier.spec.webhook.url: address',
    'Rotation.spec.rotator.webhook.url: address',
    'Rotation.spec.rotator.awsIam.endpoint: address',
  ])
})

const soundsSecret =
  /value|pass(word|phrase)?|token|secret|credential|key|bundle|url|endpoint|address|header|auth|env$|command|args/i

/** Names of secrets, fingerprints and public keys, addresses without a password and a query, values that are no secrets. */
const noSecrets = [
  'Project.spec.preview.address',
  'Project.spec.keyProvider',
  'Agent.status.keyFingerprint',
  'Agent.status.keyRotation',
  'StagelySecret.spec.key',
  'StagelySecret.spec.valueFrom.kubernetesSecret.key',
  'StagelySecret.spec.valueFrom.external.key',
  'StagelySecret.status.publicKey',
  'Stagelet.spec.compose.values{}',
  'Stagelet.spec.address',
  'Stagelet.status.quarantine[].keys[]',
  'Stagelet.status.services[].keys[]',
  'Stagelet.status.services[].composeKeys[]',
  'SecretStore.spec.aws.endpoint',
  'SecretStore.spec.aws.stsEndpoint',
  'SecretStore.spec.aws.caBundle',
  'SecretStore.spec.vault.address',
  'SecretStore.spec.vault.caBundle',
  'SecretStore.spec.onePassword.address',
  'SecretStore.spec.onePassword.caBundle',
  'SecretStore.spec.infisical.address',
  'SecretStore.spec.infisical.caBundle',
  'SecretStore.spec.doppler.address',
  'SecretStore.spec.doppler.caBundle',
  'SecretStore.spec.gcp.endpoint',
  'SecretStore.spec.gcp.caBundle',
  'SecretStore.spec.push.sqs.queueUrl',
  'SecretStore.status.credential',
  'TrustedIssuer.spec.caBundle',
  'AccessRequest.spec.secrets[].key',
  'AccessRequest.status.secrets[].key',
  'AccessRequest.status.read[].key',
  'Observation.spec.services[].composeKeys[]',
  'Observation.spec.passed{}',
  'Observation.spec.quarantine[].keys[]',
  'Observation.spec.hand.command',
]

it('a text that sounds like a secret says what it holds, or is listed here', () => {
  const silent = texts
    .filter(({ schema }) => holdingOf(schema) === undefined && !isInstant(schema))
    .map(({ path }) => path)
    .filter((path) => !path.endsWith('{key}'))
    .filter((path) => soundsSecret.test(path.slice(path.lastIndexOf('.') + 1)))
  expect(silent).toEqual(noSecrets)
})
