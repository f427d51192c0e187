import { describe, expect, it } from 'vitest'
import type { SecretSpec } from '../../kinds/secret/schema.ts'
import { DeferredWork } from '../core/deferred-work.ts'
import { generatedValue } from './find-value.ts'

describe('RSA keys of one write', () => {
  it('are bounded: it is begun anew with each', async () => {
    const spec = { valueFrom: { generate: { keypair: 'rsa' } } } as SecretSpec
    const session = { rsaKeys: 0, deferred: new DeferredWork() }
    for (let i = 0; i < 50; i++)
      await expect(generatedValue(session, spec, undefined, false)).rejects.toThrow('rsa key')
    await expect(generatedValue(session, spec, undefined, false)).rejects.toMatchObject({
      reason: 'BadRequest',
      message: expect.stringContaining('50 RSA keys') as string,
    })
  })
})
