// seal_1kib_us, open_1kib_us: one secret of 1 KiB, bound to where it belongs.
import { randomBytes } from 'node:crypto'
import { open, seal, valueAad } from '../../src/secrets/aead.ts'
import { microsPerCall, type Row } from './measure.ts'

export const benchCrypto = (): Row[] => {
  const key = { id: 'bench', bytes: randomBytes(32) }
  const value = randomBytes(1024)
  const context = {
    projectUid: '8d9cbb8e-6f0c-4a44-9d3c-3f0f2d1a7e11',
    secretId: '0c6c1f43-6a58-4f1e-8a39-6a1f7c0f9b52',
    key: 'DATABASE_URL',
    scope: 'backend',
    type: 'env',
    version: 7,
  }
  const sealed = seal(key, value, valueAad(context))
  return [
    {
      name: 'seal_1kib_us',
      value: microsPerCall(() => seal(key, value, valueAad(context))),
      unit: 'µs',
    },
    {
      name: 'open_1kib_us',
      value: microsPerCall(() => open(key, sealed, valueAad(context))),
      unit: 'µs',
    },
  ]
}
