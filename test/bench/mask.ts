// mask_1000_mbps: a log stream with 1,000 secrets, in 64 KiB chunks, a secret in 1 % of the lines;
// and beside it, on the same text, the naive replace and a single regular expression.
import { randomBytes } from 'node:crypto'
import { createMasker } from '../../src/masking/masker.ts'
import { median, timeMs, type Row } from './measure.ts'

const secretCount = 1_000
const chunkBytes = 64 * 1024

/** Lengths as in practice: half 8–32 bytes, most others to 64, a few long. */
const secretValue = (i: number): string => {
  const share = i % 100
  const bytes =
    share < 50
      ? 8 + (i % 25)
      : share < 90
        ? 32 + (i % 32)
        : share < 98
          ? 64 + (i % 400)
          : 512 + (i % 3500)
  const text = randomBytes(bytes).toString('base64url').slice(0, bytes)
  return i % 5 === 0 ? `postgresql://app:${text}@db-${i}:5432/main` : text
}

const logText = (secrets: readonly string[], bytes: number): Buffer => {
  const words =
    'GET POST request served user session cache miss hit order worker started query took'.split(' ')
  const lines: string[] = []
  for (let size = 0, i = 0; size < bytes; i++) {
    const rest = Array.from({ length: 6 }, (_, k) => words[(i * 7 + k * 3) % words.length]).join(
      ' ',
    )
    const secret = i % 100 === 0 ? ` ${secrets[i % secrets.length]}` : ''
    const line = `2025-12-06T14:30:${String(i % 60).padStart(2, '0')}.${i % 1000}Z info [http-${i % 16}] ${rest} id=${(i * 2654435761) % 4294967296} status=200${secret}\n`
    lines.push(line)
    size += line.length
  }
  return Buffer.from(lines.join(''))
}

const mark = '***REDACTED***'

/** What one would write first: a replaceAll for each secret, longest first, over whole text. */
const replaceOneByOne = (text: string, secrets: readonly string[]): string =>
  secrets.reduce((masked, secret) => masked.replaceAll(secret, mark), text)

const escaped = (secret: string): string => secret.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/**
 * The two plain ways, on the head of the same text: neither cares for a secret that is cut by the
 * border of two chunks, nor for encoded forms, and both are slow enough to be timed on less.
 */
const benchPlainWays = (secrets: readonly string[], text: Buffer, rounds: number): Row[] => {
  const head = text.toString('utf8', 0, 2 * 1024 * 1024)
  const longestFirst = [...secrets].sort((a, b) => b.length - a.length)
  const regex = new RegExp(longestFirst.map(escaped).join('|'), 'g')
  const ways: [string, () => string][] = [
    ['mask_1000_replace_mbps', () => replaceOneByOne(head, longestFirst)],
    ['mask_1000_regex_mbps', () => head.replace(regex, mark)],
  ]
  return ways.map(([name, way]) => {
    way()
    const ms = median(Array.from({ length: rounds }, () => timeMs(way)))
    return { name, value: head.length / 1e3 / ms, unit: 'MB/s', patterns: secrets.length }
  })
}

export const benchMask = (full: boolean): Row[] => {
  const secrets = Array.from({ length: secretCount }, (_, i) => secretValue(i))
  const text = logText(secrets, 32 * 1024 * 1024)
  const values = secrets.map((s) => Buffer.from(s))
  const buildMs = median(Array.from({ length: 5 }, () => timeMs(() => createMasker(values))))
  const masker = createMasker(values)
  const once = (): void => {
    const stream = masker.stream()
    for (let at = 0; at < text.length; at += chunkBytes)
      stream.write(text.subarray(at, at + chunkBytes))
    stream.end()
  }
  once()
  const ms = median(Array.from({ length: 7 }, () => timeMs(once)))
  return [
    { name: 'mask_1000_mbps', value: text.length / 1e3 / ms, unit: 'MB/s', patterns: masker.count },
    { name: 'mask_1000_build_ms', value: buildMs, unit: 'ms' },
    ...benchPlainWays(secrets, text, full ? 7 : 3),
  ]
}
