// Compresses large answers.
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import type { AppContext } from './env.ts'

const gzipAsync = promisify(gzip)
/** Compressing a smaller answer costs more than sending it. */
const gzipFromBytes = 128 * 1024

/** Bytes and headers of the answer; undefined where it goes out as it is. */
export const packed = async (
  c: AppContext,
  content: string | Uint8Array,
): Promise<
  { bytes: Uint8Array<ArrayBuffer>; headers: Readonly<Record<string, string>> } | undefined
> => {
  const accepts = /\bgzip\b/.test(c.req.header('accept-encoding') ?? '')
  if (!accepts || content.length <= gzipFromBytes) return undefined
  const bytes = new Uint8Array(await gzipAsync(content, { level: constants.Z_BEST_SPEED }))
  return { bytes, headers: { 'content-encoding': 'gzip', vary: 'Accept-Encoding' } }
}
