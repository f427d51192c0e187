// The rotator of access keys against `moto_server`, which answers as IAM and STS of AWS do.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CreateUserCommand, IAMClient, ListAccessKeysCommand } from '@aws-sdk/client-iam'
import { createEgress } from '../../../controller/egress/gate.ts'
import { parseRules } from '../../../controller/egress/rules.ts'
import { openAwsIam } from '../../../controller/rotators/providers/aws-iam.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { startMoto } from '../../support/stores/aws.ts'

const admin = { accessKeyId: 'admin', secretAccessKey: 'of-the-admin' }
const signal = new AbortController().signal

describe('the rotator awsIam', () => {
  let moto: Awaited<ReturnType<typeof startMoto>>
  let endpoint: string
  let iam: IAMClient
  let inUse: Record<string, string> = {}
  const open = (secret: string = JSON.stringify(admin), userName = 'shop') =>
    openAwsIam(
      { userName, adminRef: { name: 'admin' }, endpoint },
      {
        egress: createEgress({
          own: () => [],
          deny: [],
          allow: parseRules('A', '127.0.0.1', []),
        }),
        clock: realClock,
        secretOf: () => Promise.resolve(Buffer.from(secret)),
        current: () => Promise.resolve(inUse),
      },
    )
  const keys = async (): Promise<string[]> =>
    ((await iam.send(new ListAccessKeysCommand({ UserName: 'shop' }))).AccessKeyMetadata ?? []).map(
      ({ AccessKeyId: id = '', Status: status = '' }) => `${id} ${status}`,
    )

  beforeAll(async () => {
    moto = await startMoto()
    endpoint = moto.url
    iam = new IAMClient({ region: 'us-east-1', endpoint, credentials: admin })
    await iam.send(new CreateUserCommand({ UserName: 'shop' }))
  }, 40_000)
  afterAll(async () => {
    iam?.destroy()
    await moto?.stop()
  })

  it('makes a key, looks for it, and ends it; the one before goes when the next is made', async () => {
    const rotator = open()
    expect(await rotator.preflight(signal)).toEqual([])
    const first = await rotator.make(undefined)
    const id = first.values['accessKeyId']!
    expect(await rotator.checkAccepted(first, signal)).toBe('accepted')
    inUse = first.values
    const second = await rotator.make(undefined)
    expect(await keys()).toHaveLength(2)
    expect(await rotator.stillUsed(first, signal)).toEqual({ sessions: 0, from: [] })
    await rotator.revoke(first, '2', signal)
    await rotator.revoke(first, '2', signal)
    expect(await rotator.checkAccepted(first, signal)).toBe('refused')
    expect(await keys()).toContain(`${id} Inactive`)
    inUse = second.values
    expect(await rotator.preflight(signal)).toEqual([])
    const third = await rotator.make(undefined)
    expect((await keys()).join()).not.toContain(id)
    expect(await rotator.checkAccepted(third, signal)).toBe('accepted')
  })

  it('is not begun while the user has another active key, which it names', async () => {
    expect(await open().preflight(signal)).toEqual([
      expect.stringMatching(/user shop has another access key, \w+, and IAM gives two at the most/),
    ])
  })

  it('is not begun with the key that is to be changed as the one of the administrator', async () => {
    expect(await open(JSON.stringify(inUse)).preflight(signal)).toEqual([
      expect.stringMatching(/adminRef holds the access key of shop.*name a key of another user/),
    ])
  })

  it('says of a server that takes every key that a test means nothing', async () => {
    const values = { accessKeyId: 'AKIA0', secretAccessKey: 'any' }
    expect(await open().test({ slot: undefined, values }, signal)).toBe('meaningless')
  })

  it('says what its own key must be, and that a gate is shut', async () => {
    await expect(open('no JSON').preflight(signal)).rejects.toMatchObject({
      kind: 'Failed',
      message: expect.stringMatching(/awsIam needs adminRef.*what "admin" holds is/) as string,
    })
    await expect(open(JSON.stringify(admin), 'nobody').preflight(signal)).rejects.toMatchObject({
      kind: 'Failed',
      message: expect.stringMatching(/IAM refuses: NoSuchEntity.*: .*look at userName/) as string,
    })
  })
})
