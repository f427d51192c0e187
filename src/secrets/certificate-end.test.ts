import { expect, it } from 'vitest'
import { certificateUntil } from '../../test/support/http/certificates.ts'
import { certificateEnd } from './certificate-end.ts'

const msOf = (time: string): number => Date.parse(time)

it('is the end of the first certificate that ends, in PEM and DER', async () => {
  const late = await certificateUntil(msOf('2031-05-06T07:08:09Z'))
  const soon = await certificateUntil(msOf('2030-01-02T03:04:05Z'))
  const only = { endsAt: '2030-01-02T03:04:05Z', isOnly: true }
  expect(certificateEnd(Buffer.from(soon.pem))).toEqual(only)
  expect(certificateEnd(Buffer.from(late.pem + soon.pem))).toEqual(only)
  expect(certificateEnd(soon.der)).toEqual(only)
})

it('says where a value holds more than certificates', async () => {
  const { pem, keyPem } = await certificateUntil(msOf('2030-01-02T03:04:05Z'))
  for (const more of [keyPem, 'password=1\n'])
    expect(certificateEnd(Buffer.from(more + pem))).toMatchObject({ isOnly: false })
})

it('is unknown where there is none, or none that can be read', async () => {
  const { pem, keyPem, der } = await certificateUntil(msOf('2030-01-02T03:04:05Z'))
  const broken = pem.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA')
  for (const value of ['', 'text', keyPem, broken, '-----BEGIN CERTIFICATE-----'])
    expect(certificateEnd(Buffer.from(value))).toBeUndefined()
  expect(certificateEnd(der.subarray(0, 40))).toBeUndefined()
})
