// Verifies the audit chain here, in the browser: the export is streamed, and each row is checked as it comes. The
// controller is not asked to vouch for itself.
import { readLine, type SignedHead } from '../../../src/audit/lines.ts'
import { ChainVerifier, type ChainVerdict } from '../../../src/audit/verify.ts'
import { ApiProblem, Unreachable } from '../../api/client.ts'
import type { Problem } from '../../../src/generated/rest-types.ts'
import { webCrypto } from './web-crypto.ts'

/** A head that was kept: a file of `stagely admin audit head`, or the last line of an export. */
export const parseHead = (text: string): SignedHead | undefined => {
  const line = readLine(text.trim().split('\n').at(-1) ?? '')
  return typeof line === 'object' && line.type === 'head' ? line : undefined
}

const openExport = async (signal: AbortSignal): Promise<ReadableStream<Uint8Array>> => {
  const response = await fetch('/api/v1/audit/export', { signal, cache: 'no-store' }).catch(
    (error: unknown) => {
      throw signal.aborted ? error : new Unreachable()
    },
  )
  if (response.ok && response.body !== null) return response.body
  throw new ApiProblem((await response.json()) as Problem, response.headers.get('retry-after'))
}

/** `onRow` gets the number of each verified row. */
export const verifyChain = async (
  head: SignedHead | undefined,
  onRow: (seq: number) => void,
  signal: AbortSignal,
): Promise<ChainVerdict> => {
  const verifier = new ChainVerifier(webCrypto, { heads: head === undefined ? [] : [head] })
  const decoder = new TextDecoder()
  let rest = ''
  const reader = (await openExport(signal)).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    const lines = (rest + decoder.decode(value, { stream: !done })).split('\n')
    rest = done ? '' : (lines.pop() ?? '')
    await verifier.accept(...lines.filter((line) => line !== ''))
    onRow(verifier.seq)
    if (done) return verifier.finish()
  }
}
