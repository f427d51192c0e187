import { expect, it, vi } from 'vitest'
import {
  hanging,
  note,
  oneLine,
  outStream,
  printable,
  startProgress,
  wantProgress,
} from './print.ts'

it('what is printed cannot steer the terminal', () => {
  expect(printable('a\tb\nü 日本')).toBe('a\tb\nü 日本')
  expect(printable('\u001b]52;c;aGk=\u0007 \u009b31m')).toBe('\\x1b]52;c;aGk=\\x07 \\u009b31m')
})

it('what is printed hides nothing, and turns no direction', () => {
  expect(printable('by \u202enimda\u2066 \u2028x\ufeff\u{e0041}')).toBe(
    'by \\u202enimda\\u2066 \\u2028x\\ufeff\\udb40\\udc41',
  )
  // Letters and signs that are joined stay so.
  expect(printable('می\u200cخواهم 👩\u200d💻')).toBe('می\u200cخواهم 👩\u200d💻')
})

it('what is printed as JSON stays JSON', () => {
  const value = { text: 'a\u202eb\u009bc\u007fd' }
  expect(JSON.parse(printable(JSON.stringify(value)))).toEqual(value)
})

it('a part of a line stays in its line', () => {
  expect(oneLine('healed\nroot  admin\r\u2028x')).toBe('healed\\nroot  admin\\x0d\\u2028x')
})

it('a message of several lines stays one message', () => {
  expect(hanging('web failed:\nshop  in sync')).toBe('web failed:\n    shop  in sync')
})

it('a stream cannot steer the terminal either, and is bytes elsewhere', async () => {
  const { isTTY } = process.stdout
  const written: (string | Uint8Array)[] = []
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    written.push(chunk)
    return true
  })
  const bytes = Buffer.from('{"path":"\u009b31m\u202ex"}\n')
  // The first cut is within a sign.
  const pieces = (): AsyncIterable<Buffer> =>
    ReadableStream.from([bytes.subarray(0, 10), bytes.subarray(10)])
  try {
    process.stdout.isTTY = true
    await outStream(pieces())
    expect(written.splice(0).join('')).toBe('{"path":"\\u009b31m\\u202ex"}\n')
    process.stdout.isTTY = false
    await outStream(pieces())
    expect(Buffer.concat(written.map((chunk) => Buffer.from(chunk)))).toEqual(bytes)
  } finally {
    process.stdout.isTTY = isTTY
    write.mockRestore()
  }
})

it('progress is one line at a terminal, of what takes over a second, and of no JSON', () => {
  let said = ''
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text)
    return true
  })
  try {
    let now = 0
    const clock = { monotonic: () => now }
    const [atTerminal, elsewhere] = [startProgress(true, clock), startProgress(false, clock)]
    atTerminal('500 read')
    now = 1_500
    elsewhere('500 read')
    expect(said).toBe('')
    atTerminal('1000 read')
    now = 1_599
    atTerminal('1100 read')
    now = 1_600
    atTerminal(`1500 read${' of many'.repeat(20)}`)
    note('a line')
    atTerminal(undefined)
    expect(said).toBe(
      '1000 read\r\u001b[2K1500 read of many of many of many of many of many of many of many of many of ma\r\u001b[2Ka line\n',
    )
    wantProgress(false)
    atTerminal('2000 read')
    expect(said).not.toContain('2000')
  } finally {
    wantProgress(true)
    stderr.mockRestore()
  }
})
