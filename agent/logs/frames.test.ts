import { describe, expect, it } from 'vitest'
import { readFrames, type LogFrame } from './frames.ts'

const time = '2026-11-24T21:00:00.123456789Z'
const frame = (stream: 1 | 2, text: string): Buffer => {
  const payload = Buffer.from(`${time} ${text}`)
  const head = Buffer.alloc(8)
  head[0] = stream
  head.writeUInt32BE(payload.length, 4)
  return Buffer.concat([head, payload])
}

async function* inChunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < bytes.length; offset += size) {
    yield await Promise.resolve(bytes.subarray(offset, offset + size))
  }
}

const readAll = async (bytes: Buffer, size: number, tty: boolean): Promise<LogFrame[]> => {
  const frames: LogFrame[] = []
  for await (const read of readFrames({ tty, bytes: inChunksOf(bytes, size) })) frames.push(read)
  return frames
}

describe('the log of a container', () => {
  it('is read frame by frame, whatever its chunks, and tells stderr apart', async () => {
    const bytes = Buffer.concat([frame(1, 'out\n'), frame(2, 'err\n'), frame(1, 'piece')])
    for (const size of [1, 7, 8, 9, 1000]) {
      const frames = await readAll(bytes, size, false)
      expect(frames.map((f) => [f.stream, f.time, f.bytes.toString()])).toEqual([
        ['stdout', time, 'out\n'],
        ['stderr', time, 'err\n'],
        ['stdout', time, 'piece'],
      ])
    }
  })

  it('is refused when it is no log', async () => {
    await expect(readAll(Buffer.alloc(16, 0xff), 16, false)).rejects.toThrow('a log frame of')
  })

  it('of a tty loses the timestamps inside a long line, and keeps the others', async () => {
    const long = 'x'.repeat(16_384)
    const said = `at ${time} it began`
    const bytes = Buffer.from(`${time} ${said}\n${time} ${long}${time} tail\n`)
    for (const size of [1000, 100_000]) {
      const frames = await readAll(bytes, size, true)
      expect(frames.map((f) => f.bytes.toString()).join('')).toBe(`${said}\n${long}tail\n`)
    }
  })
})
