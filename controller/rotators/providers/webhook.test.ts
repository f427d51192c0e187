import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { realClock } from '../../../src/kernel/clock.ts'
import type { RotationSpec } from '../../../src/kinds/rotation/schema.ts'
import type { EgressAnswer, EgressCall } from '../../egress/gate.ts'
import { RotatorFault, type Credential, type Rotator } from './rotator.ts'
import { openWebhook } from './webhook.ts'

const key = 'a-signing-key-of-32-bytes-or-more'
const never = new AbortController().signal
const old: Credential = { slot: undefined, values: { token: 'old-token' } }

const open = (
  answers: (string | Partial<EgressAnswer>)[],
): { rotator: Rotator; calls: EgressCall[] } => {
  const calls: EgressCall[] = []
  const webhook = { url: 'https://hooks.example.com/s', signingKeyRef: { name: 'key' } }
  const spec = { projectRef: { name: 'shop' }, outputs: { token: 'tok' }, rotator: { webhook } }
  const at = { uid: 'u', namespace: 'red', name: 'api', spec: spec as unknown as RotationSpec }
  const call = (sent: EgressCall): Promise<EgressAnswer> => {
    calls.push(sent)
    const given = answers.shift() ?? '{"state":"done"}'
    const answer = typeof given === 'string' ? { text: given } : given
    const headers = { 'content-type': 'application/json' }
    return Promise.resolve({ status: 200, text: '', headers, ...answer })
  }
  const secretOf = (): Promise<Buffer> => Promise.resolve(Buffer.from(key))
  return {
    rotator: openWebhook(webhook, at, {
      egress: { call, admit: () => Promise.reject(new Error('not here')) },
      clock: realClock,
      secretOf,
    }),
    calls,
  }
}

const faultOf = async (work: Promise<unknown>): Promise<RotatorFault> => {
  const error: unknown = await work.then(
    () => undefined,
    (e: unknown) => e,
  )
  expect(error).toBeInstanceOf(RotatorFault)
  return error as RotatorFault
}

describe('the rotator webhook', () => {
  it('posts each step signed, with one id for each attempt and step', async () => {
    const done = '{"state":"done","values":{"token":"new-token"}}'
    const { rotator, calls } = open([done, done])
    const made = await rotator.create!('u.7', never)
    expect(made.values).toEqual({ token: 'new-token' })
    await rotator.create!('u.7', never)
    await rotator.revoke(old, 'u.7', never)
    await rotator.discard!(made, 'u.7', never)
    expect(calls.map(({ headers = {} }) => headers['webhook-id'])).toEqual([
      ...['u.7.create', 'u.7.create', 'u.7.revoke.old', 'u.7.revoke.new'],
    ])
    const { headers = {}, body = '' } = calls[2]!
    expect(headers['idempotency-key']).toBe('u.7.revoke.old')
    const signed = `${headers['webhook-id']!}.${headers['webhook-timestamp']!}.${String(body)}`
    const mac = createHmac('sha256', key).update(signed).digest('base64')
    expect(headers['webhook-signature']).toBe(`v1,${mac}`)
    expect(JSON.parse(String(body))).toMatchObject({
      type: 'stagely.rotation',
      data: { rotation: 'api', team: 'red', project: 'shop', step: 'revoke', values: old.values },
    })
    const whose = (at: number): unknown => JSON.parse(String(calls[at]!.body ?? ''))
    expect([whose(2), whose(3)]).toMatchObject([
      { data: { which: 'old' } },
      { data: { which: 'new' } },
    ])
  })

  it('asks whether a credential is accepted, and who uses it', async () => {
    const { rotator } = open([
      '{"state":"done","result":"refused"}',
      '{"state":"done","sessions":3,"from":["10.0.0.1",7,"canary","2001:db8::1"]}',
    ])
    expect(await rotator.checkAccepted(old, never)).toBe('refused')
    // What is no address is not repeated: people read it.
    expect(await rotator.stillUsed(old, never)).toEqual({
      sessions: 3,
      from: ['10.0.0.1', 'elsewhere', '2001:db8::1'],
    })
  })

  it.each(['', ',"sessions":"3"', ',"sessions":-1', ',"sessions":0.5', ',"sessions":null'])(
    'takes no use without a number for none: %j',
    async (given) => {
      const { rotator } = open([`{"state":"done"${given}}`])
      const fault = await faultOf(rotator.stillUsed(old, never))
      expect(fault).toMatchObject({
        kind: 'Failed',
        message: expect.stringMatching(/no number of sessions/) as string,
      })
    },
  )

  it.each<[string, string | Partial<EgressAnswer>, string, RegExp]>([
    [
      'HTML with 200',
      { text: '<html>', headers: { 'content-type': 'text/html' } },
      'Failed',
      /no JSON object/,
    ],
    ['HTML that says JSON', '<html>', 'Failed', /no JSON object/],
    ['no state', '{"values":{"token":"canary"}}', 'Failed', /no state/],
    ['no values', '{"state":"done"}', 'Failed', /no values/],
    ['a value that is no text', '{"state":"done","values":{"token":7}}', 'Failed', /no values/],
    [
      'another output',
      '{"state":"done","values":{"other":"canary"}}',
      'Failed',
      /no value for token/,
    ],
    ['failed', '{"state":"failed","message":"canary"}', 'Failed', /says that it failed/],
    ['a redirect', { status: 302 }, 'Failed', /status 302/],
    ['a fault of the service', { status: 503, text: 'canary' }, 'Unreachable', /status 503/],
    ['pending', '{"state":"pending","retryAfter":90}', 'Pending', /still pending/],
  ])(
    'takes %s for a fault, and repeats nothing of the answer',
    async (_, answer, kind, expected) => {
      const fault = await faultOf(open([answer]).rotator.create!('u.1', never))
      expect(fault).toMatchObject({ kind, message: expect.stringMatching(expected) as string })
      expect(fault.message).not.toContain('canary')
      if (kind === 'Pending') expect(fault.retryAfterMs).toBe(90_000)
    },
  )
})
