// Output of containers as the engine sends it where there is no tty: frames of `[1|2,0,0,0,length]payload`.

/** The payloads of one stream, or of all. A frame that is cut off is left out. */
export const demultiplex = (bytes: Buffer, stream?: 1 | 2): string => {
  const parts: Buffer[] = []
  for (let at = 0; at + 8 <= bytes.length;) {
    const length = bytes.readUInt32BE(at + 4)
    if (stream === undefined || bytes[at] === stream)
      parts.push(bytes.subarray(at + 8, at + 8 + length))
    at += 8 + length
  }
  return Buffer.concat(parts).toString('utf8')
}
