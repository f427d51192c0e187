// A queue of AWS SQS that EventBridge fills with what happens to secrets: which of them have changed. A
// message carries no value. Loaded where a store names a queue.
import {
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SQSClient,
  type Message,
} from '@aws-sdk/client-sqs'
import { append } from '../../../src/kernel/append.ts'
import type { ProviderBlock } from '../../../src/kinds/secret-store/providers.ts'
import type { StoreOpening } from '../opening.ts'
import {
  QueueFault,
  StoreFault,
  type NotificationQueue,
  type QueueNotifications,
} from '../provider.ts'
import { awsCalls, awsNameOf } from './aws-calls.ts'
import { keysOfEvent } from './aws-events.ts'

/** So long (s) one call waits for a message: the gate gives a call 10 s. */
const waitSeconds = 8
/** So long (s) nobody else gets what was received. A look is over by then, or its notifications come again. */
const hiddenSeconds = 120
/** What SQS gives and takes in one call. */
const inCall = 10
const mostAtOnce = 500

const missing = ['QueueDoesNotExist', 'NonExistentQueue']
const forbidden = ['AccessDenied', 'AccessDeniedException', 'KmsAccessDenied']
const invalid = ['InvalidAddress', 'InvalidSecurity', 'UnsupportedOperation']

/** `url` is in a spec that everybody of the team reads. */
const faultOf = (error: unknown, url: string): unknown => {
  const name = awsNameOf(error) ?? ''
  if (missing.includes(name)) return new QueueFault('QueueMissing', `AWS has no queue ${url}`)
  if (forbidden.includes(name))
    return new QueueFault(
      'QueueForbidden',
      `the credential may not receive and delete messages of ${url}: it needs sqs:ReceiveMessage and sqs:DeleteMessage`,
    )
  if (invalid.includes(name))
    return new QueueFault('QueueMissing', `AWS answers ${name} for ${url}`)
  return error instanceof StoreFault ? new QueueFault(error.kind, error.message) : error
}

const notificationsOf = (messages: readonly Message[]): QueueNotifications => {
  const keysOfMessages = messages.map(({ Body }) => keysOfEvent(Body ?? ''))
  return {
    keys: [...new Set(keysOfMessages.flatMap((keys) => keys ?? []))],
    receipts: messages.flatMap(({ ReceiptHandle }) => ReceiptHandle ?? []),
    foreignMessages: keysOfMessages.filter((keys) => keys === undefined).length,
  }
}

export const openAwsQueue = (
  { region, caBundle }: ProviderBlock<'aws'>,
  url: string,
  opening: StoreOpening,
): NotificationQueue => {
  const calls = awsCalls(opening, region, caBundle)
  const client = new SQSClient({ ...calls.config, endpoint: new URL(url).origin })
  const expected = [...missing, ...forbidden, ...invalid]
  const send = async <T>(
    call: (options: { abortSignal: AbortSignal }) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> => {
    try {
      return await calls.send(call, signal, expected)
    } catch (error) {
      signal.throwIfAborted()
      throw faultOf(error, url)
    }
  }
  /** ms; before it one message is received at a time: some are together too long for one answer. */
  let singlyUntil = 0
  const receiveSome = async (seconds: number, signal: AbortSignal): Promise<Message[]> => {
    const isSingly = opening.clock.now() < singlyUntil
    const command = new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: isSingly ? 1 : inCall,
      WaitTimeSeconds: seconds,
      VisibilityTimeout: hiddenSeconds,
    })
    try {
      const { Messages = [] } = await send((options) => client.send(command, options), signal)
      return Messages
    } catch (error) {
      // Those that the lost answer held are hidden at first.
      if (error instanceof QueueFault && error.reason === 'Malformed')
        singlyUntil = opening.clock.now() + 2 * hiddenSeconds * 1000
      throw error
    }
  }
  /** None also where a fault comes: what was received before it is heeded first. */
  const receiveMore = (signal: AbortSignal): Promise<Message[]> =>
    receiveSome(0, signal).catch((error: unknown) => {
      if (!(error instanceof QueueFault)) throw error
      return []
    })
  return {
    receive: async (signal) => {
      const all = await receiveSome(waitSeconds, signal)
      let last = all.length
      while (last > 0 && all.length < mostAtOnce) {
        const more = await receiveMore(signal)
        last = more.length
        append(all, more)
      }
      return notificationsOf(all)
    },
    discard: async ({ receipts }, signal) => {
      for (let at = 0; at < receipts.length; at += inCall) {
        const Entries = receipts
          .slice(at, at + inCall)
          .map((ReceiptHandle, i) => ({ Id: String(i), ReceiptHandle }))
        const command = new DeleteMessageBatchCommand({ QueueUrl: url, Entries })
        await send((options) => client.send(command, options), signal)
      }
    },
  }
}
