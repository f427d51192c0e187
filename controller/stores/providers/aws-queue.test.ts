import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { createFakeClock } from '../../../test/support/fake-clock.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { Egress } from '../../egress/gate.ts'
import type { StoreOpening } from '../opening.ts'
import { openAwsQueue } from './aws-queue.ts'

/** A queue whose messages are together too long for one answer, as those named `huge` are alone. */
const startQueue = (...names: string[]) => {
  const clock = createFakeClock()
  let left = names
  const asked: number[] = []
  const call: Egress['call'] = ({ body }) => {
    const most = (JSON.parse(String(body)) as { MaxNumberOfMessages: number }).MaxNumberOfMessages
    asked.push(most)
    const given = left.slice(0, most)
    left = left.slice(most)
    if (given.length > 1 || given[0] === 'huge')
      throw new StagelyError('RequestEntityTooLarge', 'answers with more than 1048576 bytes')
    const Messages = given.map((name) => {
      const Body = JSON.stringify({
        source: 'aws.secretsmanager',
        detail: { eventName: 'PutSecretValue', requestParameters: { secretId: name } },
      })
      const MD5OfBody = createHash('md5').update(Body).digest('hex')
      return { Body, MD5OfBody, ReceiptHandle: name }
    })
    const headers = { 'content-type': 'application/x-amz-json-1.0' }
    return Promise.resolve({ status: 200, text: JSON.stringify({ Messages }), headers })
  }
  const opening = {
    clock,
    isOwn: false,
    egress: { call },
    spend: () => Promise.resolve(),
    credential: () => Promise.resolve('{"accessKeyId":"AKID","secretAccessKey":"secret"}'),
  } as unknown as StoreOpening
  const url = 'https://sqs.eu-central-1.amazonaws.com/1/hints'
  const queue = openAwsQueue({ region: 'eu-central-1' }, url, opening)
  const again = (): void => {
    left = names
  }
  return { clock, asked, again, receive: () => queue.receive(new AbortController().signal) }
}

it('messages that are together too long for one answer come one by one', async () => {
  const { clock, asked, again, receive } = startQueue('a', 'b')
  await expect(receive()).rejects.toMatchObject({ reason: 'Malformed' })
  // Those that were given are hidden for two minutes.
  expect(await receive()).toMatchObject({ keys: [] })
  await clock.advance(120_000)
  again()
  expect(await receive()).toMatchObject({ keys: ['a', 'b'], receipts: ['a', 'b'] })
  await clock.advance(600_000)
  await receive()
  expect(asked).toEqual([10, 1, 1, 1, 1, 10])
})

it('a message that is too long alone keeps none of the others back', async () => {
  const { again, receive } = startQueue('a', 'huge', 'b')
  await expect(receive()).rejects.toMatchObject({ reason: 'Malformed' })
  again()
  expect(await receive()).toMatchObject({ keys: ['a'] })
  expect(await receive()).toMatchObject({ keys: ['b'] })
})
