// The access key of a user of AWS IAM: a user has two at the most, which take turns. Every call goes through the gate.
import {
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  GetAccessKeyLastUsedCommand,
  IAMClient,
  ListAccessKeysCommand,
  UpdateAccessKeyCommand,
  type AccessKeyMetadata,
} from '@aws-sdk/client-iam'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { randomBytes } from 'node:crypto'
import * as z from 'zod'
import { defined } from '../../../src/kernel/defined.ts'
import { isReason, messageOf } from '../../../src/kernel/errors.ts'
import { tryParseJson } from '../../../src/kernel/record.ts'
import type { RotationSpec } from '../../../src/kinds/rotation/schema.ts'
import { sdkHandler } from '../../egress/sdk-handler.ts'
import { RotatorFault, type Credential, type Rotator, type RotatorDeps } from './rotator.ts'

type Spec = NonNullable<RotationSpec['rotator']['awsIam']>

const adminKey = z.object({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(1) })
type Key = z.infer<typeof adminKey>

/** A new key is known everywhere after some seconds. */
const settleMs = 2_000
const tests = 8
/** IAM tells the last use late; a key that was used since is in use. */
const recentMs = 10 * 60_000

const keyOf = ({ values }: Credential): Key => ({
  accessKeyId: values['accessKeyId'] ?? '',
  secretAccessKey: values['secretAccessKey'] ?? '',
})

const readAdmin = async ({ adminRef }: Spec, { secretOf }: RotatorDeps): Promise<Key> => {
  const text = adminRef === undefined ? '' : (await secretOf(adminRef.name)).toString('utf8')
  const read = adminKey.safeParse(tryParseJson(text))
  if (read.success) return read.data
  const why = adminRef === undefined ? '' : `; what "${adminRef.name}" holds is something else`
  const message = `awsIam needs adminRef: a secret with JSON {"accessKeyId": …, "secretAccessKey": …} of who may manage the keys of the user${why}`
  throw new RotatorFault('Failed', message)
}

/** The names of AWS's errors are theirs; a key that is unknown or wrong has one of these. */
const refusals = new Set([
  'InvalidClientTokenId',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
])
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '')

const lostKey = 'write a valid access key into the secret of adminRef'
/** What to do, by the name of AWS's error; the key of `adminRef` has asked. */
const remedies: ReadonlyMap<string, string> = new Map([
  ['AccessDenied', 'give the key in adminRef the rights over the access keys of this user'],
  ['NoSuchEntity', 'there is no such user, or no such key of it: look at userName'],
  ['LimitExceeded', 'the user has two access keys: delete the one that nobody uses'],
  ...[...refusals].map((name) => [name, lostKey] as const),
])

/** `NoSuchEntityException`: the client's name of NoSuchEntity. */
const remedyFor = (name: string): string => {
  const remedy = remedies.get(name) ?? remedies.get(name.replace(/Exception$/, ''))
  return remedy === undefined ? '' : `: ${remedy}`
}

const faultOf = (error: unknown): unknown => {
  if (error instanceof RotatorFault) return error
  if (isReason(error, 'Forbidden')) return new RotatorFault('Failed', messageOf(error))
  if (isReason(error, 'ServiceUnavailable'))
    return new RotatorFault('Unreachable', messageOf(error))
  const name = nameOf(error)
  if (/Throttl|TooManyRequests|ServiceFailure/.test(name))
    return new RotatorFault('Unreachable', `IAM does not do it now: ${name}`)
  return new RotatorFault('Failed', `IAM refuses: ${name}${remedyFor(name)}`)
}

interface Clients {
  readonly asAdmin: <T>(work: (iam: IAMClient) => Promise<T>) => Promise<T>
  /** Whether the key is accepted. */
  readonly logIn: (key: Key) => Promise<boolean>
}

const clientsOf = (spec: Spec, deps: RotatorDeps): Clients => {
  const { endpoint, region = 'us-east-1' } = spec
  const settings = (credentials: Key) => ({
    region,
    credentials,
    maxAttempts: 1,
    requestHandler: sdkHandler(deps.egress),
    ...defined({ endpoint }),
  })
  return {
    asAdmin: async (work) => {
      const iam = new IAMClient(settings(await readAdmin(spec, deps)))
      try {
        return await work(iam)
      } catch (error) {
        throw faultOf(error)
      } finally {
        iam.destroy()
      }
    },
    logIn: async (credentials) => {
      const sts = new STSClient(settings(credentials))
      try {
        await sts.send(new GetCallerIdentityCommand({}))
        return true
      } catch (error) {
        if (refusals.has(nameOf(error))) return false
        throw faultOf(error)
      } finally {
        sts.destroy()
      }
    },
  }
}

const lockedOut = (user: string, id: string): string =>
  `adminRef holds the access key of ${user} that is to be changed, ${id}: its end would shut the controller out; name a key of another user`

/** Keys that leave no room for a new one. */
const surplusOf = (
  user: string,
  keys: readonly AccessKeyMetadata[],
  used: string | undefined,
): string[] => {
  const active = keys.filter(
    ({ AccessKeyId: id, Status: status }) => id !== used && status === 'Active',
  )
  return (used === undefined ? active.slice(1) : active).map(
    ({ AccessKeyId: id = '' }) =>
      `user ${user} has another access key, ${id}, and IAM gives two at the most: delete the one that nobody uses`,
  )
}

export const openAwsIam = (spec: Spec, deps: RotatorDeps): Rotator => {
  const { userName: UserName } = spec
  const { asAdmin, logIn } = clientsOf(spec, deps)
  const keys = (iam: IAMClient): Promise<AccessKeyMetadata[]> =>
    iam.send(new ListAccessKeysCommand({ UserName })).then(({ AccessKeyMetadata: all = [] }) => all)
  const current = async (): Promise<string | undefined> => (await deps.current?.())?.['accessKeyId']
  return {
    slots: [],
    outputs: ['accessKeyId', 'secretAccessKey'],
    preflight: async () => {
      const used = await current()
      const { accessKeyId: own } = await readAdmin(spec, deps)
      if (own === used) return [lockedOut(UserName, own)]
      return asAdmin(async (iam) => surplusOf(UserName, await keys(iam), used))
    },
    make: () =>
      asAdmin(async (iam) => {
        const used = await current()
        // The old one of the rotation before is inactive since then.
        for (const { AccessKeyId, Status: status } of await keys(iam))
          if (status === 'Inactive' && AccessKeyId !== used)
            await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }))
        const { AccessKey: made } = await iam.send(new CreateAccessKeyCommand({ UserName }))
        if (made?.AccessKeyId === undefined || made.SecretAccessKey === undefined)
          throw new RotatorFault('Failed', 'IAM made no access key')
        const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey } = made
        return { slot: undefined, values: { accessKeyId, secretAccessKey } }
      }),
    checkAccepted: (candidate) =>
      asAdmin(async (iam) => {
        const { accessKeyId } = keyOf(candidate)
        const found = (await keys(iam)).find(({ AccessKeyId: id }) => id === accessKeyId)
        return found?.Status === 'Active' ? 'accepted' : 'refused'
      }),
    set: () =>
      Promise.reject(
        new RotatorFault(
          'Failed',
          'the new access key is gone from IAM: somebody deleted it; start another rotation: stagely rotation run',
        ),
      ),
    test: async (candidate, signal) => {
      const key = keyOf(candidate)
      for (let n = 1; !(await logIn(key)); n += 1) {
        if (n >= tests) return 'refused'
        await deps.clock.sleep(settleMs, signal)
      }
      const random = { ...key, secretAccessKey: randomBytes(30).toString('base64') }
      return (await logIn(random)) ? 'meaningless' : 'accepted'
    },
    stillUsed: (old) =>
      asAdmin(async (iam) => {
        const { accessKeyId: AccessKeyId } = keyOf(old)
        const { AccessKeyLastUsed: last } = await iam.send(
          new GetAccessKeyLastUsedCommand({ AccessKeyId }),
        )
        const at = last?.LastUsedDate?.getTime()
        if (at === undefined || deps.clock.now() - at > recentMs) return { sessions: 0, from: [] }
        return { sessions: 1, from: [`${last?.ServiceName ?? 'a service'} of AWS`] }
      }),
    revoke: (old) =>
      asAdmin(async (iam) => {
        const { accessKeyId: AccessKeyId } = keyOf(old)
        const found = (await keys(iam)).find(({ AccessKeyId: id }) => id === AccessKeyId)
        if (found?.Status !== 'Active') return
        await iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: 'Inactive' }))
      }),
    find: () =>
      asAdmin(async (iam) => {
        const used = (await keys(iam)).find(({ Status: status }) => status === 'Active')
        const { AccessKeyId: accessKeyId } = used ?? {}
        const running = accessKeyId && { slot: undefined, values: { accessKeyId } }
        return { idle: undefined, running: running || undefined }
      }),
    disable: () => Promise.resolve(),
  }
}
