import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  ListSecretsCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from '@aws-sdk/client-secrets-manager'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, it } from 'vitest'
import { createEgress } from './gate.ts'
import { parseRules } from './rules.ts'
import { sdkHandler } from './sdk-handler.ts'

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'the-secret-key' }
const config = (endpoint: string, lookup: () => Promise<string[]>, allow = '') =>
  ({
    region: 'eu-central-1',
    endpoint,
    credentials,
    maxAttempts: 1,
    requestHandler: sdkHandler(
      createEgress({ own: () => [], lookup, deny: [], allow: parseRules('A', allow, []) }),
    ),
  }) satisfies SecretsManagerClientConfig

describe("a client of AWS's SDK", () => {
  it.each([
    'https://169.254.169.254',
    'https://[fd00:ec2::254]',
    'https://metadata.test',
    'https://127.0.0.1:8443',
    'http://192.0.2.1',
  ])('is kept from %s by the gate', async (endpoint) => {
    const client = new SecretsManagerClient(
      config(endpoint, () => Promise.resolve(['169.254.169.254'])),
    )
    const sent = client.send(new ListSecretsCommand({}))
    await expect(sent).rejects.toMatchObject({ reason: 'Forbidden' })
    await expect(sent).rejects.not.toThrow('the-secret-key')
  })

  it('gets its answers, signs what is sent, and does not follow a redirect', async () => {
    const asked: unknown[] = []
    const server = createServer((request, response) => {
      asked.push([request.headers.host, request.headers.authorization?.slice(0, 16)])
      if (request.headers['x-amz-target'] !== undefined)
        response.writeHead(307, { location: 'http://169.254.169.254/' }).end()
      else
        response.end(
          '<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/u</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>',
        )
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const own = config(`http://aws.test:${port}`, () => Promise.resolve(['127.0.0.1']), 'aws.test')
    const { Arn } = await new STSClient(own).send(new GetCallerIdentityCommand({}))
    expect(Arn).toBe('arn:aws:iam::1:user/u')
    await expect(
      new SecretsManagerClient(own).send(new ListSecretsCommand({})),
    ).rejects.toMatchObject({ $metadata: { httpStatusCode: 307 } })
    expect(asked).toEqual(Array(2).fill([`aws.test:${port}`, 'AWS4-HMAC-SHA256']))
    server.closeAllConnections()
    server.close()
  })
})
