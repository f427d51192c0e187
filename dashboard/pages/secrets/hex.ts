// Bytes that are no text, for the eye. Pure.
export const bytesOfBase64 = (base64: string): Uint8Array =>
  Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))

const perRow = 16
const mostRows = 64

/** The first bytes as hexadecimal numbers, with the letters among them. */
export const hexRows = (bytes: Uint8Array): string[] => {
  const rows: string[] = []
  for (let at = 0; at < bytes.length && rows.length < mostRows; at += perRow) {
    const row = [...bytes.subarray(at, at + perRow)]
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const text = row.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : '.'))
    rows.push(`${at.toString(16).padStart(4, '0')}  ${hex.padEnd(perRow * 3)} ${text.join('')}`)
  }
  if (bytes.length > perRow * mostRows) rows.push(`… ${bytes.length - perRow * mostRows} more`)
  return rows
}
