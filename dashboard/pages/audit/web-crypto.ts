// The cryptography of this browser, for the verifier of the audit chain.
import type { ChainCrypto } from '../../../src/audit/texts.ts'

const encoder = new TextEncoder()

const toBase64Url = (bytes: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')

const fromBase64Url = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) =>
    letter.charCodeAt(0),
  )

const importKey = (publicKey: string): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', fromBase64Url(publicKey), 'Ed25519', false, ['verify'])

/** False in a browser that knows no Ed25519: it can check hashes, and not who signed. */
export const hasEd25519 = async (): Promise<boolean> => {
  // The generator of the curve is a valid key.
  const generator = `WGZm${'Zm'.repeat(19)}Y`
  return importKey(generator).then(
    () => true,
    () => false,
  )
}

export const webCrypto: ChainCrypto = {
  sha256: async (text) => toBase64Url(await crypto.subtle.digest('SHA-256', encoder.encode(text))),
  verify: async (publicKey, text, signature) =>
    crypto.subtle.verify(
      'Ed25519',
      await importKey(publicKey),
      fromBase64Url(signature),
      encoder.encode(text),
    ),
}
