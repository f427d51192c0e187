// AWS Secrets Manager and STS: moto, somebody else's reading of AWS's interface, behind a front that
// also refuses as AWS does.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { freePort } from '../http/free-port.ts'
import type { Bench } from './bench.ts'
import { startFront, type Asked, type Reply } from './front.ts'

/** Debian's package python3-moto. */
export const startMoto = async (): Promise<{ url: string; stop: () => Promise<void> }> => {
  const port = await freePort()
  const args = ['-H', '127.0.0.1', '-p', String(port)]
  const moto = spawn('/usr/bin/moto_server', args, { stdio: 'ignore' })
  const ended = once(moto, 'close')
  const url = `http://127.0.0.1:${port}`
  for (;;) {
    if (moto.exitCode !== null) throw new Error('moto_server ended: is python3-moto installed?')
    const answers = await fetch(`${url}/moto-api/`).then(
      () => true,
      () => false,
    )
    if (answers) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    url,
    stop: async () => {
      moto.kill('SIGKILL')
      await ended
    },
  }
}

const said = (type: string): Reply => ({
  status: 400,
  body: { __type: type, message: 'not for you' },
})
const stsSaid = (code: string): Reply => ({
  status: 403,
  body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`,
})

export interface AwsBench extends Bench {
  /** Actions that the credential may not do, such as ListSecrets. */
  readonly denied: Set<string>
  /** Answers in place of all others, in turn. */
  readonly next: Reply[]
  /** URL of a queue, below the front. */
  makeQueue(name: string): Promise<string>
  sendMessage(queue: string, text: string): Promise<void>
  /** How many messages the queue has, also those that were received. */
  messagesOf(queue: string): Promise<number>
  /** Which actions were asked since the last time. */
  actions(): string[]
}

const actionOf = ({ headers }: Asked): string =>
  String(headers['x-amz-target'] ?? 'sts.').split('.')[1] ?? ''

/** One server for all benches of a file: its start takes seconds. */
let shared: ReturnType<typeof startMoto> | undefined
const useMoto = (): ReturnType<typeof startMoto> => (shared ??= startMoto())

/** `stopMoto` false: another bench of this file goes on with it. */
export const startAws = async ({ stopMoto = true } = {}): Promise<AwsBench> => {
  const moto = await useMoto()
  const hidden = new Set<string>()
  const denied = new Set<string>()
  const next: Reply[] = []
  let seen = 0

  const passOn = async ({ text, headers }: Asked, body: object): Promise<Reply> => {
    const { authorization, 'content-type': type, 'x-amz-target': target } = headers
    const answer = await fetch(moto.url, {
      method: 'POST',
      headers: {
        authorization: authorization ?? '',
        'content-type': type ?? '',
        ...(target === undefined ? {} : { 'x-amz-target': String(target) }),
      },
      body: target === undefined ? text : JSON.stringify(body),
    })
    const code = answer.headers.get('x-amzn-query-error')
    return {
      status: answer.status,
      body: await answer.text(),
      ...(code === null ? {} : { headers: { 'x-amzn-query-error': code } }),
    }
  }

  const standIn = async (asked: Asked): Promise<Reply> => {
    const { headers, body } = asked
    const planned = next.shift()
    if (planned !== undefined) return planned
    const isSts = headers['x-amz-target'] === undefined
    if (headers.authorization?.includes('AKIDWRONG'))
      return isSts ? stsSaid('InvalidClientTokenId') : said('UnrecognizedClientException')
    if (denied.has(actionOf(asked)) || hidden.has(String(body['SecretId'])))
      return said('AccessDeniedException')
    const ids = body['SecretIdList'] as string[] | undefined
    if (ids === undefined) return passOn(asked, body)
    const reply = await passOn(asked, { SecretIdList: ids.filter((id) => !hidden.has(id)) })
    const answer = JSON.parse(String(reply.body)) as { Errors: unknown[] }
    for (const SecretId of ids.filter((id) => hidden.has(id)))
      answer.Errors.push({ SecretId, ErrorCode: 'AccessDeniedException', Message: 'no' })
    return { status: reply.status, body: answer }
  }

  const front = await startFront(standIn)
  const ask = async (action: string, body: object): Promise<Response> =>
    fetch(moto.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `secretsmanager.${action}`,
        authorization:
          'AWS4-HMAC-SHA256 Credential=AKIDTEST/20261128/eu-central-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=x',
      },
      body: JSON.stringify(body),
    })
  const askQueue = async (action: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(moto.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `AmazonSQS.${action}`,
        authorization:
          'AWS4-HMAC-SHA256 Credential=AKIDTEST/20261128/eu-central-1/sqs/aws4_request, SignedHeaders=host, Signature=x',
      },
      body: JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${action}: ${await answer.text()}`)
    return (await answer.json()) as Record<string, unknown>
  }
  const credential = (id: string): string =>
    JSON.stringify({ accessKeyId: id, secretAccessKey: 'the-secret-access-key-of-tests' })
  return {
    front,
    denied,
    next,
    spec: ({ ca = true } = {}) => ({
      aws: {
        region: 'eu-central-1',
        endpoint: front.url,
        stsEndpoint: front.url,
        ...(ca ? { caBundle: front.ca } : {}),
      },
    }),
    credential: credential('AKIDTEST'),
    wrongCredential: credential('AKIDWRONG'),
    identity: 'arn:aws:sts::123456789012:user/moto',
    key: (name) => `prod/shop/${name}`,
    put: async (key, fields) => {
      const SecretString = JSON.stringify(fields)
      const changed = await ask('PutSecretValue', { SecretId: key, SecretString })
      if (!changed.ok) await ask('CreateSecret', { Name: key, SecretString })
      return SecretString
    },
    remove: async (key) => {
      await ask('DeleteSecret', { SecretId: key })
    },
    forbid: (key) => {
      hidden.add(key)
      return Promise.resolve()
    },
    olderVersion: () => 'AWSPREVIOUS',
    noVersion: 'NO-SUCH-LABEL',
    makeQueue: async (QueueName) => {
      await askQueue('CreateQueue', { QueueName })
      return `${front.url}/123456789012/${QueueName}`
    },
    sendMessage: async (QueueUrl, MessageBody) => {
      await askQueue('SendMessage', { QueueUrl, MessageBody })
    },
    messagesOf: async (QueueUrl) => {
      const asked = { QueueUrl, AttributeNames: ['All'] }
      const { Attributes } = await askQueue('GetQueueAttributes', asked)
      const counts = Attributes as Record<string, string>
      return (
        Number(counts['ApproximateNumberOfMessages']) +
        Number(counts['ApproximateNumberOfMessagesNotVisible'])
      )
    },
    actions: () => {
      const asked = front.asked.slice(seen)
      seen = front.asked.length
      return asked.map(actionOf)
    },
    close: async () => {
      await front.close()
      if (stopMoto) await moto.stop()
    },
  }
}
