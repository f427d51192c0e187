// store_change_to_running_s: a secret changes in AWS (moto), EventBridge's message comes by SQS, and its
// service runs with the new value; over the same `docker compose up -d` by hand, by turns in the same run.
import { realClock } from '../../src/kernel/clock.ts'
import { until } from '../../scripts/lib/processes.ts'
import { startMoto } from '../support/stores/aws.ts'
import { manifest } from './client.ts'
import { median, percentile, type Row } from './measure.ts'
import { changeByHand, service } from './rollout.ts'
import { createStack, removeStack, watchStarts } from './stacks.ts'
import { startWorld, type World } from './world.ts'

const key = 'prod/main/worker'
const credential = JSON.stringify({ accessKeyId: 'AKIDBENCH', secretAccessKey: 'bench' })

/** One call of AWS's JSON interface. */
const asker =
  (url: string) =>
  async (target: string, body: object): Promise<void> => {
    const [interfaceName = '', kind] = target.startsWith('AmazonSQS.')
      ? ['sqs', '0']
      : ['secretsmanager', '1']
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': `application/x-amz-json-1.${kind}`,
        'x-amz-target': target,
        authorization: `AWS4-HMAC-SHA256 Credential=AKIDBENCH/20261128/eu-central-1/${interfaceName}/aws4_request, SignedHeaders=host, Signature=x`,
      },
      body: JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${target}: ${await answer.text()}`)
  }
type Ask = ReturnType<typeof asker>

const connect = async (world: World, url: string, queueUrl: string): Promise<void> => {
  const { main } = world
  await world.apply([
    manifest('StagelySecret', 'aws-reader', {
      projectRef: { name: main.name },
      key: 'AWS_READER',
      audience: 'Controller',
      value: credential,
    }),
    manifest('SecretStore', 'aws', {
      aws: { region: 'eu-central-1', endpoint: url, stsEndpoint: url },
      auth: { secretRef: { name: 'aws-reader' } },
      allow: { projects: [main.name], remote: ['prod/*'] },
      refresh: { every: '10h' },
      push: { sqs: { queueUrl } },
    }),
    manifest('StagelySecret', 'stored', {
      projectRef: { name: main.name },
      key: 'STORED',
      scope: service,
      valueFrom: { external: { store: 'aws', key } },
    }),
  ])
  type WithConditions = { status?: { conditions?: { type: string; status: string }[] } }
  await until(
    async () => {
      const path = '/apis/stagely.dev/v1alpha1/namespaces/default/secretstores/aws'
      const { status } = (await world.api.call('GET', path)) as WithConditions
      const isListening = status?.conditions?.some(
        (one) => one.type === 'Listening' && one.status === 'True',
      )
      return isListening === true ? true : undefined
    },
    60_000,
    () => new Error('the store does not listen'),
    100,
  )
  await world.settled()
}

/** ms from the change until the container starts, and until the agent has proven what runs in it. */
const change = async (world: World, ask: Ask, { starts, queueUrl, round }: Round) => {
  const path = '/apis/stagely.dev/v1alpha1/namespaces/default/stagelets/main'
  const wanted = ((await world.api.call('GET', path)) as { status: { wantedRevision: number } })
    .status.wantedRevision
  const started = starts.next(world.main.project, service)
  const detail = { eventName: 'PutSecretValue', requestParameters: { secretId: key } }
  const from = performance.now()
  await ask('secretsmanager.PutSecretValue', {
    SecretId: key,
    SecretString: `value ${round} ${from}`,
  })
  const MessageBody = JSON.stringify({ source: 'aws.secretsmanager', detail })
  await ask('AmazonSQS.SendMessage', { QueueUrl: queueUrl, MessageBody })
  const running = (await started) - from
  await world.settled(undefined, {
    timeoutMs: 60_000,
    everyMs: 10,
    isMet: ({ status }) => (status?.runningRevision ?? 0) > wanted,
  })
  const proven = performance.now() - from
  await world.settled()
  return { running, proven }
}
interface Round {
  readonly starts: ReturnType<typeof watchStarts>
  readonly queueUrl: string
  readonly round: number
}

const measure = async (world: World, url: string, rounds: number): Promise<Row[]> => {
  const ask = asker(url)
  const queueUrl = `${url}/123456789012/notifications`
  await ask('AmazonSQS.CreateQueue', { QueueName: 'notifications' })
  await ask('secretsmanager.CreateSecret', { Name: key, SecretString: 'the first value' })
  await connect(world, url, queueUrl)
  const starts = watchStarts()
  const hand = createStack(world.paths.dir, 'by-hand', world.main.services)
  try {
    await changeByHand(hand, starts, -1)
    await change(world, ask, { starts, queueUrl, round: -1 })
    starts.count(world.main.project)
    const [ours, theirs]: [{ running: number; proven: number }[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      theirs.push(await changeByHand(hand, starts, round))
      ours.push(await change(world, ask, { starts, queueUrl, round }))
      await realClock.sleep(200)
    }
    const started = [...starts.count(world.main.project).values()].reduce((a, b) => a + b, 0)
    const [byHand, proven] = [median(theirs), ours.map((one) => one.proven)]
    return [
      {
        name: 'store_change_to_running_s',
        value: (median(proven) - byHand) / 1_000,
        unit: 's',
        proven_ms: Math.round(median(proven)),
        p95_ms: Math.round(percentile(proven, 0.95)),
        running_ms: Math.round(median(ours.map((one) => one.running))),
        by_hand_ms: Math.round(byHand),
        starts_each: started / rounds,
        rounds,
      },
    ]
  } finally {
    starts.close()
    await removeStack(hand)
  }
}

export const benchStoreChange = async (rounds: number): Promise<Row[]> => {
  const moto = await startMoto()
  try {
    const world = await startWorld({ STAGELY_EGRESS_ALLOW: '127.0.0.1' })
    try {
      return await measure(world, moto.url, rounds)
    } finally {
      await world.stop()
    }
  } finally {
    await moto.stop()
  }
}
