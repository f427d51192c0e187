import { describe, expect, it } from 'vitest'
import type { LogLine } from '../../src/protocol/logs.ts'
import { createOutbox } from './outbox.ts'

const line = (text: string): LogLine => ({
  type: 'line',
  service: 'web',
  container: 'web-1',
  stream: 'stdout',
  time: '',
  text,
})
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('an outbox', () => {
  it('counts the lines that have no room, and tells of them where they are missing', () => {
    const outbox = createOutbox(500)
    for (const text of ['1', '2', '3', '4', '5']) outbox.putOrDrop(line(text))
    expect(outbox.take()).toEqual([line('1'), line('2'), line('3'), { type: 'dropped', lines: 2 }])
    outbox.putOrDrop(line('6'))
    expect(outbox.take()).toEqual([line('6')])
  })

  it('lets those wait who can, and loses nothing of theirs', async () => {
    const outbox = createOutbox(500)
    const given = ['1', '2', '3', '4', '5']
    const putting = (async () => {
      for (const text of given) await outbox.put(line(text))
    })()
    await settle()
    const first = outbox.take()
    expect(first).toHaveLength(3)
    await putting
    await outbox.filled()
    expect([...first, ...outbox.take()]).toEqual(given.map(line))
  })
})
