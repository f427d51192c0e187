// Output of containers as the engine sends it where there is no tty: frames of `[1|2,0,0,0,length]payload`.

/** The payloads of one stream, or of all. A frame that is cut off is left out. */
export const demultiplex = (bytes: Buffer, stream?: 1 | 2): string => {
  const parts: Buffer[] = []
  for (let offset = 0; offset + 8 <= bytes.length;) {
    const length = bytes.readUInt32BE(offset + 4)
    if (stream === undefined || bytes[offset] === stream)
      parts.push(bytes.subarray(offset + 8, offset + 8 + length))
    offset += 8 + length
  }
  return Buffer.concat(parts).toString('utf8')
}
