import { expect, it } from 'vitest'
import { isSigned } from '../../../src/audit/texts.ts'
import { hasEd25519, webCrypto } from './web-crypto.ts'

it('hashes and verifies as the controller does', async () => {
  // Made by the controller's code, which uses Node.
  expect(await webCrypto.sha256('ä\u{1f600}')).toBe('Qc22-QoQuB97sLhlTkaaiGa40kmI0bsnBtrcNkGo2zs')
  const key = 'LRa40hCR1MhPYDSSYhEcNdcLjLg2QAQS7zXRucRo1RA'
  const signature =
    '-8FUq1aFo1i3hAmsnrNOKLOqcHQcoQ8lHUHAjKeJghutGaqLVy6neqaGF7mY6Ni0SrIxu8wJ7rhIK5xS_9PLBw'
  const judge = (as: 'head' | 'start', seq: number) =>
    isSigned(webCrypto, key, as, { seq, hash: 'h', signature })
  expect(await judge('head', 7)).toBe(true)
  expect(await judge('head', 8)).toBe(false)
  expect(await judge('start', 7)).toBe(false)
  expect(await isSigned(webCrypto, key, 'head', { seq: 7, hash: 'h' })).toBe(false)
  expect(await isSigned(webCrypto, 'short', 'head', { seq: 7, hash: 'h', signature })).toBe(false)
})

it('knows whether the browser can verify at all', async () => {
  expect(await hasEd25519()).toBe(true)
})
