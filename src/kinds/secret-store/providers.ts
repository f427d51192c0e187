// Where an external store is, and how it is asked: one block of a SecretStore's spec for each kind of
// store. No block holds a credential.
import * as z from 'zod'
import type { Fault } from '../../kernel/errors.ts'
import { forbiddenField } from '../../resources/validation/faults.ts'

export const providerNames = [
  'aws',
  'vault',
  'onePassword',
  'infisical',
  'doppler',
  'gcp',
  'command',
] as const
export type ProviderName = (typeof providerNames)[number]

const oneProvider = `give exactly one of ${providerNames.slice(0, -1).join(', ')} and ${providerNames.at(-1) ?? ''}`

const address = z
  .string()
  .max(2048)
  .regex(
    /^https?:\/\/[^\s@?#]+$/,
    'must be a URL such as https://vault.example.com:8200, without a password and a query',
  )
const segment = (most: number, what: string) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(
      /^\.*[A-Za-z0-9_-][A-Za-z0-9_.-]*$/,
      `must be ${what}: letters, digits, "_", "." and "-", and not of dots alone`,
    )
const mount = z
  .string()
  .min(1)
  .max(255)
  .regex(
    /^\.*[\w-][\w.-]*(\/\.*[\w-][\w.-]*)*$/,
    'must be a path such as secret or teams/shop, without "/" at its ends and parts of dots alone',
  )
export const caBundleSchema = z
  .string()
  .max(65_536)
  .regex(/-----BEGIN CERTIFICATE-----/, 'must be certificates as PEM')
  .optional()
  .describe(
    'Certificates (PEM) that sign the certificate of the server, in place of those that the controller trusts.',
  )
const plain = 'Plain http only where the operator of the controller allows the address.'

const aws = z.strictObject({
  region: z
    .string()
    .max(32)
    .regex(/^[a-z]{2}(-[a-z]+)+-\d+$/, 'must be a region such as eu-central-1')
    .describe('Region of AWS Secrets Manager.'),
  endpoint: address
    .optional()
    .describe(`Another address of Secrets Manager, such as that of a VPC endpoint. ${plain}`),
  stsEndpoint: address
    .optional()
    .describe(`Another address of AWS STS, which says whose the credential is. ${plain}`),
  caBundle: caBundleSchema,
})

const vault = z.strictObject({
  address: address.describe(`Address of Vault or OpenBao. ${plain}`),
  namespace: z.string().min(1).max(255).optional().describe('Namespace of Vault.'),
  mount: mount.default('secret').describe('Where the secrets engine KV version 2 is mounted.'),
  appRole: z
    .strictObject({
      roleId: z.string().min(1).max(255).describe('RoleID; the credential is the SecretID.'),
      mount: mount.default('approle').describe('Where the method AppRole is mounted.'),
    })
    .optional()
    .describe('Log in with AppRole. With neither appRole nor jwt the credential is a token.'),
  jwt: z
    .strictObject({
      role: segment(255, 'a name').describe('Role to log in as; the credential is the JWT.'),
      mount: mount.default('jwt').describe('Where the method JWT is mounted.'),
    })
    .optional()
    .describe('Log in with a JWT.'),
  caBundle: caBundleSchema,
})

const onePassword = z.strictObject({
  address: address.describe(`Address of a 1Password Connect server. ${plain}`),
  caBundle: caBundleSchema,
})

const infisical = z.strictObject({
  address: address.default('https://app.infisical.com').describe(`Address of Infisical. ${plain}`),
  projectId: segment(64, 'the ID of a project').describe('ID of the project.'),
  environment: segment(64, 'the slug of an environment').describe(
    'Slug of the environment, such as prod.',
  ),
  clientId: segment(64, 'the ID of a client').describe(
    'Client ID of a machine identity with Universal Auth; the credential is its client secret.',
  ),
  caBundle: caBundleSchema,
})

const doppler = z.strictObject({
  address: address.default('https://api.doppler.com').describe(`Address of Doppler. ${plain}`),
  project: segment(64, 'the name of a project').describe('Name of the project.'),
  config: segment(64, 'the name of a config').describe('Name of the config, such as prd.'),
  caBundle: caBundleSchema,
})

const gcp = z.strictObject({
  projectId: segment(64, 'the ID or number of a project').describe('ID of the project.'),
  endpoint: address
    .optional()
    .describe(`Another address of Secret Manager, such as a regional endpoint. ${plain}`),
  caBundle: caBundleSchema,
})

const command = z.strictObject({
  name: segment(64, 'the name of a file').describe(
    'Name of an executable in the folder that the operator of the controller names with --stores-dir.',
  ),
})

/** Fields of the spec; a SecretStore has exactly one of them. */
export const providerFields = {
  aws: aws.optional().describe('AWS Secrets Manager.'),
  vault: vault.optional().describe('The secrets engine KV version 2 of Vault or OpenBao.'),
  onePassword: onePassword.optional().describe('1Password, by a Connect server.'),
  infisical: infisical.optional().describe('Infisical.'),
  doppler: doppler.optional().describe('Doppler.'),
  gcp: gcp.optional().describe('Google Cloud Secret Manager.'),
  command: command.optional().describe('A program that the operator of the controller provides.'),
}

/** For `x-kubernetes-validations` of the spec. */
export const oneProviderRule = {
  rule: `[${providerNames.map((name) => `has(self.${name})`).join(', ')}].filter(given, given).size() == 1`,
  message: oneProvider,
}

export type ProviderSpec = z.infer<z.ZodObject<typeof providerFields>>
/** The block of one provider. */
export type ProviderBlock<Name extends ProviderName> = NonNullable<ProviderSpec[Name]>

/** Rules that the schema cannot express. */
export const checkProvider = (spec: Record<string, unknown>): Fault[] => {
  const [first, ...more] = providerNames.filter((name) => spec[name] !== undefined)
  if (first === undefined)
    return [
      { field: 'spec', reason: 'FieldValueRequired', message: `Required value: ${oneProvider}` },
    ]
  const { vault: ofVault } = spec as ProviderSpec
  return [
    ...more.map((name) => forbiddenField(`spec.${name}`, oneProvider)),
    ...(ofVault?.appRole !== undefined && ofVault.jwt !== undefined
      ? [forbiddenField('spec.vault.jwt', 'give one of appRole and jwt')]
      : []),
  ]
}
