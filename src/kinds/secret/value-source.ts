// Sources of a value that nobody writes down, and the declared format of a value.
import * as z from 'zod'
import { objectName } from '../../resources/schema-parts.ts'

export const charsets = ['alphanumeric', 'hex', 'base64url', 'digits', 'printable'] as const
export const keypairs = ['ed25519', 'rsa'] as const
export const formats = ['json', 'url', 'pem', 'base64', 'port', 'integer', 'regex'] as const

export const notWithKeypair = 'not with keypair'

const generateSpec = z
  .strictObject({
    length: z
      .int()
      .min(1)
      .max(4096)
      .optional()
      .describe('Length of a random text in characters; 32 when absent. Not with keypair.'),
    charset: z
      .enum(charsets)
      .optional()
      .describe(
        'Characters of the text; alphanumeric when absent. printable: ASCII without space, quotes, "$" and "\\". Not with keypair.',
      ),
    keypair: z
      .enum(keypairs)
      .optional()
      .describe(
        'In place of a text: a private key as PKCS#8 PEM (rsa has 3072 bits). status.publicKey shows its public half.',
      ),
    generation: z
      .int()
      .min(0)
      .optional()
      .describe('A new number makes a new value. No other change makes one.'),
  })
  .meta({
    'x-kubernetes-validations': ['length', 'charset'].map((name) => ({
      rule: `!has(self.keypair) || !has(self.${name})`,
      message: notWithKeypair,
      fieldPath: `.${name}`,
    })),
  })

export const oneOrigin =
  'give exactly one of generate, secretRef, kubernetesSecret, rotation and external'

export const plainKey =
  'must not hold the parts "." and "..", which would lead elsewhere in the store'

const externalSpec = z
  .strictObject({
    store: z
      .string({ error: 'must be the name of a SecretStore of the same namespace' })
      .max(253)
      .regex(
        /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
        'must be the name of a SecretStore of the same namespace',
      )
      .describe('Name of the SecretStore, in the same namespace.'),
    key: z
      .string()
      .min(1)
      .max(1024)
      .regex(/^[^\x00-\x1f\x7f]+$/, 'must be the name that the store has for the secret')
      .describe('Name of the secret in the store, such as prod/shop/db.'),
    property: z
      .string()
      .max(1024)
      .regex(/^(\/([^~/]|~[01])*)+$/, 'must be a JSON pointer, which begins with "/": /password')
      .optional()
      .describe(
        'Member of the JSON that the secret is, as a JSON pointer such as /password; the whole secret when absent.',
      ),
    version: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .describe('Version or label in the words of the store; the newest when absent.'),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: "!('/' + self.key + '/').contains('/./') && !('/' + self.key + '/').contains('/../')",
        message: plainKey,
        fieldPath: '.key',
      },
    ],
  })

export const valueFrom = z
  .strictObject({
    generate: generateSpec.optional().describe('A random value, made once.'),
    secretRef: z
      .strictObject({
        name: objectName.describe('Name of a StagelySecret of the same project.'),
      })
      .optional()
      .describe('The current value of another secret, which at most 100 follow.'),
    kubernetesSecret: z
      .strictObject({
        name: objectName.describe('Name of a Secret of the cluster, in the same namespace.'),
        key: z.string().min(1).max(253).describe('Key of the entry in the Secret.'),
      })
      .optional()
      .describe('An entry of a Secret, where the controller follows a Kubernetes cluster.'),
    rotation: z
      .strictObject({
        name: objectName.describe('Name of the Rotation, in the same namespace.'),
        output: z.string().min(1).max(63).describe('The output of its rotator, such as password.'),
      })
      .optional()
      .describe('A credential that a Rotation makes and changes.'),
    external: externalSpec
      .optional()
      .describe('A secret of a SecretStore, which allows the project and the key.'),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: '[has(self.generate), has(self.secretRef), has(self.kubernetesSecret), has(self.rotation), has(self.external)].filter(given, given).size() == 1',
        message: oneOrigin,
      },
    ],
  })

export type ExternalSpec = z.infer<typeof externalSpec>
export type GenerateSpec = z.infer<typeof generateSpec>
export type Format = (typeof formats)[number]
