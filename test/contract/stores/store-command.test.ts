// A program of the operator as a store: real programs, in a folder of their own.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openProvider } from '../../../controller/stores/open-provider.ts'
import type { Ref, StoreProvider } from '../../../controller/stores/provider.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { gateOfTests } from '../../support/stores/front.ts'

const never = new AbortController().signal
const refs: Ref[] = [{ key: 'db' }, { key: 'gone' }, { key: 'hidden', version: '7' }]
let dir: string

beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'stores-dir-')), 'stores')
  mkdirSync(dir, { mode: 0o755 })
})
afterEach(() => {
  rmSync(join(dir, '..'), { recursive: true })
})

const program = (text: string, mode = 0o755): void => {
  writeFileSync(join(dir, 'tool'), `#!/bin/sh\n${text}\n`)
  chmodSync(join(dir, 'tool'), mode)
}
const says = (answer: object | string, more = ''): void => {
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer)
  program(`cat > asked\n${more}\ncat <<'END'\n${text}\nEND`)
}
const open = (storesDir: string | undefined = dir, credential = 'the-credential') =>
  openProvider({ command: { name: 'tool' } }, credential, {
    egress: gateOfTests(),
    clock: realClock,
    storesDir,
  })
const look = async (provider: StoreProvider) => [
  ...(await provider.readVersions(refs, undefined, never)).versions.values(),
]
const absences = [{ absent: 'missing' }, { absent: 'forbidden' }]

describe('a program as a store', () => {
  it('gets what is asked on its input, and gives versions and values', async () => {
    says({
      identity: 'me',
      secrets: [{ version: 'v1', value: 'secret' }, ...absences],
      keys: ['b', 'a', 'other'],
    })
    const provider = await open()
    expect(await provider.whoAmI(never)).toBe('me')
    expect(await look(provider)).toEqual([{ version: 'v1' }, ...absences])
    const fetched = [...(await provider.fetch(refs, never)).values()]
    expect(fetched).toEqual([{ version: 'v1', value: Buffer.from('secret') }, ...absences])
    expect(await provider.list('', never)).toEqual({ keys: ['a', 'b', 'other'], isCut: false })
    says('{}', 'cp asked told; tr "\\0" " " < /proc/$$/cmdline > line; env > line2')
    await look(provider).catch(() => undefined)
    const { readFileSync } = await import('node:fs')
    const told: unknown = JSON.parse(readFileSync(join(dir, 'told'), 'utf8'))
    expect(told).toEqual({ operation: 'look', refs, credential: 'the-credential' })
    for (const file of ['line', 'line2'])
      expect(readFileSync(join(dir, file), 'utf8')).not.toContain('the-credential')
  })

  it('may tell when a version ends', async () => {
    const secrets = [
      { version: 'v1', value: 'secret', expiresAt: '2027-01-01T01:00:00.123456789+01:00' },
      ...absences,
    ]
    says({ secrets })
    const provider = await open()
    const found = { version: 'v1', expiresAt: '2027-01-01T00:00:00Z' }
    expect(await look(provider)).toEqual([found, ...absences])
    expect((await provider.fetch(refs, never)).get(refs[0]!)).toMatchObject(found)
  })

  it('may give values alone: a mark of the value is the version then', async () => {
    const secrets = [{ value: 'one' }, ...absences]
    says({ secrets })
    const provider = await open()
    const [first] = await look(provider)
    expect(await look(provider)).toEqual([first, ...absences])
    says({ secrets: [{ base64: Buffer.from('two').toString('base64') }, ...absences] })
    const [second] = await look(provider)
    expect(second).not.toEqual(first)
    expect((await provider.fetch(refs, never)).get(refs[0]!)).toEqual({
      ...second,
      value: Buffer.from('two'),
    })
  })

  it.each([
    ['no JSON', 'hello canary-value', 'Malformed'],
    ['half a JSON', '{"secrets":[{"value":"canary-value"', 'Malformed'],
    ['too few answers', { secrets: [{ value: 'canary-value' }] }, 'Malformed'],
    [
      'an end that is no time',
      { secrets: [{ version: '1', expiresAt: 'soon' }, {}, {}] },
      'Malformed',
    ],
    ['no version and no value', { secrets: [{}, {}, {}] }, 'Malformed'],
    ['an unknown form', { secrets: 'canary-value' }, 'Malformed'],
    ['Unauthorized', { fault: 'Unauthorized' }, 'Unauthorized'],
    ['Unavailable', { fault: 'Unavailable' }, 'Unavailable'],
  ])('that says %s is a fault', async (_, answer, kind) => {
    says(answer)
    const fault: unknown = await look(await open()).catch((error: unknown) => error)
    expect(fault).toMatchObject({ name: 'StoreFault', kind })
    expect((fault as Error).message).not.toContain('canary')
  })

  it('may ask to be left alone', async () => {
    says({ fault: 'Throttled', retryAfterSeconds: 90 })
    await expect(look(await open())).rejects.toMatchObject({
      kind: 'Throttled',
      retryAfterMs: 90_000,
    })
  })

  it('that fails, says too much or is given up is ended, and what it says beside is not told', async () => {
    program('cat > /dev/null; echo canary-value >&2; exit 3')
    const failed: unknown = await look(await open()).catch((error: unknown) => error)
    expect(failed).toMatchObject({
      kind: 'Unavailable',
      message: 'the program tool ends with code 3',
    })
    program('cat > /dev/null; yes')
    await expect(look(await open())).rejects.toMatchObject({ kind: 'Malformed' })
    program('cat > /dev/null; exec sleep 60')
    const ending = new AbortController()
    setTimeout(() => {
      ending.abort()
    }, 200)
    const provider = await open()
    await expect(provider.readVersions(refs, undefined, ending.signal)).rejects.toMatchObject({
      name: 'AbortError',
    })
  })

  it.each<[string, () => void, string]>([
    ['is not there', () => undefined, 'the program is not there'],
    [
      'others may write to',
      () => {
        program('', 0o757)
      },
      'can be changed by others',
    ],
    [
      'its group may write to',
      () => {
        program('', 0o775)
      },
      'can be changed by others',
    ],
    [
      'is not executable',
      () => {
        program('', 0o644)
      },
      'is not executable',
    ],
    [
      'is a link',
      () => {
        symlinkSync('/bin/true', join(dir, 'tool'))
      },
      'a link is none',
    ],
    [
      'is in a folder that others may write to',
      () => {
        program('')
        chmodSync(dir, 0o777)
      },
      'the folder of --stores-dir can be changed by others',
    ],
  ])('that %s is not run', async (_, prepare, why) => {
    prepare()
    await expect(look(await open())).rejects.toThrow(why)
  })

  it('needs a folder that the operator names', async () => {
    const deps = { egress: gateOfTests(), clock: realClock, storesDir: undefined }
    const provider = await openProvider({ command: { name: 'tool' } }, undefined, deps)
    await expect(look(provider)).rejects.toThrow('runs without --stores-dir')
  })
})
