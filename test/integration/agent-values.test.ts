// Any value reaches the container byte by byte, and every key too.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { engine, held, startMachine, type Machine } from '../support/docker/docker.ts'
import { createStack, idleService, type Stack } from '../support/docker/stack.ts'
import { codePoint } from '../support/code-point.ts'

const codePoints = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => from + i)
    .filter((c) => c !== 0 && (c < 0xd800 || c > 0xdfff))
    .map((c) => String.fromCodePoint(c))
    .join('')

const nasty = [
  '',
  ' ',
  '  two  ',
  '\t',
  '\n',
  '\r\n',
  'a\nb\n',
  '\n\nx',
  "'",
  '"',
  '\\',
  '\\n',
  '`',
  '$',
  '$$',
  '$VAR',
  '${VAR}',
  '${VAR:-x}',
  '${',
  '${}',
  '$5',
  'a$',
  '#',
  'a #b',
  ': ',
  '- x',
  '? x',
  '!tag',
  '&a',
  '*a',
  '%',
  '@',
  '|',
  '>',
  'null',
  '~',
  'true',
  'no',
  'on',
  '1e3',
  '0x10',
  '0o17',
  '1_000',
  '2001-01-01',
  '.inf',
  '<<',
  '---',
  '...',
  '{}',
  '[]',
  '{"a": [1, "b"]}',
  'a=b=c',
  '=',
  '\u0001\u001f\u007f',
  '\u0085\u00a0',
  '\u2028\u2029',
  '\ufeff',
  '\ufffe\uffff',
  '😀',
  '\u{10ffff}',
  'é ü 漢字',
  '-----BEGIN KEY-----\nMIIB+/=\n-----END KEY-----\n',
  '%s %d',
  '../../etc/passwd',
  'x'.repeat(32_768),
  codePoints(1, 0x80),
  codePoints(0x80, 0x800),
  codePoints(0xfff0, 0x10010),
]
const random = fc.sample(
  fc.string({ unit: codePoint, maxLength: 60 }).map((s) => s.replaceAll('\0', '0')),
  { numRuns: 240, seed: 7 },
)
const services = ['one', 'two', 'three']

describe('values', () => {
  let stack: Stack
  let machine: Machine
  const entries = [...nasty, ...random].map((value, i) => held(`V${i}`, value, services[i % 3]))

  beforeAll(async () => {
    stack = await createStack(`services:\n${services.map((s) => idleService(s)).join('')}`)
    machine = await startMachine(stack)
    await machine.roll([...entries, held('VAR', 'OOPS'), held('a.b-c', 'odd key', 'one')])
  })
  afterAll(async () => {
    await machine?.stop()
    await stack?.remove()
  })

  it.each(services)('arrive byte by byte in the container of %s', async (service) => {
    const environment = await stack.environmentOf(service)
    const wanted = entries.filter((e) => e.scope === service)
    expect(wanted.length).toBeGreaterThan(90)
    for (const { key, value } of wanted) expect(environment[key], key).toBe(value.toString('utf8'))
  })

  it('arrive under names that a shell would not allow', async () => {
    const id = (await stack.containers())['one']!.id
    const config = JSON.parse(
      await stack.docker('inspect', '-f', '{{json .Config.Env}}', id),
    ) as string[]
    expect(config).toContain('a.b-c=odd key')
    expect((await engine.inspect(id))?.State.Status).toBe('running')
  })
})
