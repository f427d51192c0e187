import { describe, expect, it } from 'vitest'
import { keysOfEvent } from './aws-events.ts'

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/shop/db-a1B2c3'
const of = (detail: object, source = 'aws.secretsmanager'): string[] | undefined =>
  keysOfEvent(JSON.stringify({ source, detail }))

describe('an event of Secrets Manager', () => {
  it('names the secret by name and by ARN, wherever it says so', () => {
    const all = [arn, 'prod/shop/db-a1B2c3', 'prod/shop/db']
    const requestParameters = { secretId: 'prod/shop/db', clientRequestToken: 'x' }
    expect(of({ eventName: 'PutSecretValue', requestParameters })).toEqual(['prod/shop/db'])
    expect(
      of({
        eventName: 'CreateSecret',
        requestParameters: { name: 'a' },
        responseElements: { arn },
      }),
    ).toEqual(['a', ...all])
    const additionalEventData = { SecretId: arn }
    expect(
      of({ eventName: 'RotationSucceeded', requestParameters: null, additionalEventData }),
    ).toEqual(all)
  })

  it('that reads is no notification: our own looks would make looks', () => {
    for (const eventName of ['GetSecretValue', 'DescribeSecret', 'BatchGetSecretValue'])
      expect(of({ eventName, requestParameters: { secretId: 'prod/shop/db' } })).toEqual([])
  })

  it('is told from everything else', () => {
    expect(of({ eventName: 'PutObject' }, 'aws.s3')).toBeUndefined()
    for (const text of ['', '{', 'null', '[]', '"a"', '{"source":"aws.secretsmanager"}'])
      expect(keysOfEvent(text)).toBeUndefined()
    expect(of({ eventName: 'PutSecretValue', requestParameters: { secretId: 7 } })).toEqual([])
  })
})
