// Documents that the key of the audit log has signed, each with the head of the log at that time. Pure.
import { canonicalJson } from '../kernel/canonical-json.ts'
import type { SignedHead } from './record.ts'
import {
  documentText,
  isSigned,
  isSignedText,
  type ChainCrypto,
  type SignedDocument,
} from './texts.ts'

interface Signed {
  readonly kind: SignedDocument
  readonly document: { readonly head: SignedHead }
  readonly signature: string
  readonly public_key: string
}

/** Why it does not hold; undefined where it does. `publicKey`: the key that must have signed. */
export const documentFault = async (
  crypto: ChainCrypto,
  { kind, document, signature, public_key: key }: Signed,
  publicKey?: string,
): Promise<string | undefined> => {
  if (publicKey !== undefined && publicKey !== key) return `another key has signed it: ${key}`
  if (!(await isSignedText(crypto, key, documentText(kind, canonicalJson(document)), signature)))
    return 'its text is not what was signed'
  const { head } = document
  if (head.seq === 0) return undefined
  const isHeadSigned = head.public_key === key && (await isSigned(crypto, key, 'head', head))
  return isHeadSigned ? undefined : 'the head of the audit log in it is not signed by the same key'
}
