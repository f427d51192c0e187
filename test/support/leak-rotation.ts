// Values on their way through rotations, for the search for leaks: a service that makes credentials and is not done with
// one of them yet, another that answers nonsense, and a channel of notices that nobody answers at.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const made = 'canary-made-outside-3f60'
const body = 'canary-in-an-answer-a91d'
const signingKey = 'canary-signs-the-steps-of-a-rotation-55e2'
const slackPath = 'canary-of-a-channel-8bb4'

export const rotationCanaries = [made, body, signingKey, slackPath]

export interface RotatorService {
  /** Host and port. */
  readonly address: string
  readonly manifests: string
  /** Bodies of the steps that were asked for. */
  readonly asked: readonly string[]
  close(): Promise<void>
}

/** What the service that is not done yet says to a step. */
const answerTo = (step: string): object =>
  step === 'create'
    ? { state: 'done', values: { token: made } }
    : { state: 'pending', retryAfter: 3_600 }

const controllerSecret = (name: string, key: string, value: string): string => `---
apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata: {name: ${name}}
spec: {projectRef: {name: turning}, key: ${key}, audience: Controller, value: '${value}'}
`
/** Each in its own project: of one, they would wait for each other. */
const rotation = (name: string, url: string): string => `---
apiVersion: stagely.dev/v1alpha1
kind: Project
metadata: {name: ${name}}
---
apiVersion: stagely.dev/v1alpha1
kind: Rotation
metadata: {name: ${name}}
spec:
  projectRef: {name: ${name}}
  outputs: {token: ${name}-token}
  rotator: {webhook: {url: '${url}', signingKeyRef: {name: steps-key}}}
---
apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata: {name: ${name}-token}
spec:
  projectRef: {name: ${name}}
  key: ${name.toUpperCase()}_TOKEN
  valueFrom: {rotation: {name: ${name}, output: token}}
`

export const startRotatorService = async (): Promise<RotatorService> => {
  const asked: string[] = []
  const say = (response: ServerResponse, type: string, text: string): void => {
    response.writeHead(200, { 'content-type': type }).end(text)
  }
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      asked.push(text)
      const { data } = JSON.parse(text) as { data: { step: string } }
      if (request.url === '/half')
        say(response, 'application/json', JSON.stringify(answerTo(data.step)))
      else say(response, 'text/html', `<html>${body}</html>`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    address,
    asked,
    manifests: [
      '---\napiVersion: stagely.dev/v1alpha1\nkind: Project\nmetadata: {name: turning}\n',
      controllerSecret('steps-key', 'STEPS_KEY', signingKey),
      controllerSecret('channel', 'CHANNEL', `https://127.0.0.1:9/${slackPath}`),
      '---\napiVersion: stagely.dev/v1alpha1\nkind: Notifier\nmetadata: {name: ops}\n',
      'spec: {reasons: [RotationFailed, RotationBlocked], slack: {urlRef: {name: channel}}}\n',
      rotation('half', `http://${address}/half`),
      rotation('nonsense', `http://${address}/nonsense`),
    ].join(''),
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
