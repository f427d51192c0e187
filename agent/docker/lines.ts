// Splits a byte stream into lines.
import { StringDecoder } from 'node:string_decoder'

/** Yields each non-empty line without its newline; a last one without newline too. */
export const splitLines = async function* (
  stream: AsyncIterable<Buffer>,
): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const chunk of stream) {
    const parts = (rest + decoder.write(chunk)).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) if (part.trim() !== '') yield part
  }
  if (rest.trim() !== '') yield rest
}
