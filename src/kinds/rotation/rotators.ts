// The rotators of a Rotation: which credential is changed, and by which way.
import * as z from 'zod'
import { duration } from '../../resources/duration.ts'
import { webAddress } from '../../resources/holdings.ts'
import { refersTo, refSchema } from '../../resources/schema-parts.ts'
import { charsets } from '../secret/value-source.ts'

export const onePlace = 'give exactly one of in and at'
export const differentSlots = 'the two take turns: give two different names'

const controllerSecret = (what: string): z.ZodObject<{ name: z.ZodString }, z.core.$strict> =>
  refSchema('StagelySecret').describe(`Secret (audience: Controller) with ${what}.`)

/** A name in a database; agents and controller quote it. */
const sqlName = z
  .string()
  .min(1)
  .max(63)
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9_$.-]*$/,
    'must be a name of letters, digits, "_", "$", "." and "-", and not begin with one of the last three: a login of another name stands in no URL; rename it, or make another one',
  )

const port = z.int().min(1).max(65_535)
const host = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[A-Za-z0-9.:_-]+$/, 'must be a name or an address, without a port')

/** As MariaDB has it. */
const loginHost = z
  .string()
  .min(1)
  .max(253)
  .regex(
    /^[A-Za-z0-9.:_%/-]+$/,
    'must be a name, an address, or a pattern as MariaDB has it, such as "10.0.%"',
  )

const onlyInside =
  'say in, with the stagelet and service of the database: only postgres can be changed over the network (at)'

const insideFields = {
  stagelet: z
    .string()
    .min(1)
    .max(253)
    .meta({ [refersTo]: 'Stagelet' })
    .describe('Name of the Stagelet whose agent does it.'),
  service: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,255}$/, 'must be the name of a Compose service')
    .describe('The service whose container is the database.'),
  adminRef: controllerSecret('the password of the administrator').optional(),
  adminUser: sqlName
    .optional()
    .describe('Login of the administrator; the usual one of the database when absent.'),
}
const fromAgent = z.strictObject(insideFields)

const fromController = z.strictObject({
  host: host.describe('Where the database answers; called through the gate for addresses.'),
  port: port.optional().describe('The usual port of the database when absent.'),
  adminRef: controllerSecret('the password of the administrator'),
  adminUser: sqlName
    .optional()
    .describe('Login of the administrator; the usual one of the database when absent.'),
  caRef: controllerSecret('the certificates (PEM) that sign that of the database').optional(),
})

const inDescription = 'The agent does it in the container of the database.'
/** Of a database that the controller cannot change over the network. */
const agentOnly = {
  in: z
    .strictObject(insideFields, {
      error: ({ input }) => (input === undefined ? onlyInside : undefined),
    })
    .describe(`${inDescription} Only postgres can be changed over the network (at).`),
}

/** `in` is a word of CEL: Kubernetes calls the field `__in__`. */
const placeRule = {
  rule: '[has(self.__in__), has(self.at)].filter(given, given).size() == 1',
  message: onePlace,
}
const turnsRule = (field: string): object => ({
  rule: `self.${field}.size() < 2 || self.${field}[0] != self.${field}[1]`,
  message: differentSlots,
  fieldPath: `.${field}`,
})

export const postgresRotator = z
  .strictObject({
    in: fromAgent.optional().describe(`${inDescription} No admin password is needed.`),
    at: fromController.optional().describe('The controller does it, over TLS.'),
    database: sqlName.describe('The database that the roles log in to.'),
    owner: sqlName.describe('Role that owns the objects. It cannot log in, but in adoption.'),
    roles: z
      .array(sqlName)
      .min(1)
      .max(2)
      .describe('Two roles that take turns; made where they are missing. One with inPlace.'),
    adopt: sqlName
      .optional()
      .describe(
        'The login that services use today. It becomes the owner, and loses its login after the first proof.',
      ),
  })
  .meta({ 'x-kubernetes-validations': [placeRule, turnsRule('roles')] })

export const mariadbRotator = z
  .strictObject({
    ...agentOnly,
    database: sqlName.describe('The database that the users may use.'),
    users: z
      .array(sqlName)
      .min(1)
      .max(2)
      .describe('Two users that take turns; made where they are missing. One with inPlace.'),
    from: loginHost
      .optional()
      .describe(
        'Host that the users log in from, as MariaDB has it; everywhere ("%") when absent.',
      ),
    adopt: sqlName
      .optional()
      .describe('The user that services use today; locked after the first proof.'),
  })
  .meta({ 'x-kubernetes-validations': [turnsRule('users')] })

const adoptValue = z
  .boolean()
  .optional()
  .describe(
    'True: the value that somebody wrote is the first old one, and ends with the first rotation.',
  )

export const redisRotator = z.strictObject({
  ...agentOnly,
  user: sqlName
    .default('default')
    .describe('User of the ACL; two of its passwords are valid at a time.'),
  adopt: adoptValue,
})

export const generateRotator = z.strictObject({
  length: z
    .int()
    .min(8)
    .max(4096)
    .optional()
    .describe('Length of the value in characters; 32 when absent.'),
  charset: z
    .enum(charsets)
    .optional()
    .describe('Characters of the value; alphanumeric when absent.'),
  order: z
    .enum(['AddFirst', 'SwitchFirst'])
    .default('AddFirst')
    .describe(
      'AddFirst: every service knows the new value before one uses it. SwitchFirst: for a value that only one service sees; one rollout less.',
    ),
  adopt: adoptValue,
})

export const webhookRotator = z.strictObject({
  url: webAddress().describe('Where the steps create, test, in-use and revoke are posted.'),
  signingKeyRef: controllerSecret(
    'the key that signs each step, as Standard Webhooks say: whsec_ and base64, or any text',
  ),
  pendingFor: duration
    .optional()
    .describe('How long a step may answer "pending"; 6h when absent, and at most.'),
  adopt: adoptValue,
})

export const awsIamRotator = z.strictObject({
  userName: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[\w+=,.@-]+$/, 'must be the name of a user of IAM')
    .describe('The user whose access keys take turns.'),
  adminRef: controllerSecret(
    'an access key that may manage the keys of the user, as JSON: accessKeyId, secretAccessKey',
  ).optional(),
  endpoint: webAddress('must be a URL')
    .optional()
    .describe('Address of IAM; that of AWS when absent.'),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'must be a region of AWS')
    .optional()
    .describe('Region that requests are signed for; us-east-1 when absent.'),
  adopt: adoptValue,
})
