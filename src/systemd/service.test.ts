import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { putFile, removeService, startService, type Machine } from './service.ts'
import { quoteWord, renderUnit } from './unit.ts'

const done = { exitCode: 0, signal: undefined, timedOut: false, stdout: '', stderr: '' }

/** A machine that takes every command and notes it. */
const aMachine = (stderr?: string): Machine & { asked: string[] } => {
  const asked: string[] = []
  return {
    asked,
    hasSystemd: () => Promise.resolve(true),
    systemctl: (...args) => {
      asked.push(args.join(' '))
      const failed = stderr !== undefined && args[0] === 'start'
      return Promise.resolve({
        ...done,
        startError: undefined,
        ...(failed ? { exitCode: 1, stderr } : {}),
      })
    },
  }
}

describe('a service', () => {
  let dir: string
  beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'stagely-service-'))))
  afterEach(() => rm(dir, { recursive: true, force: true }))

  it('is enabled and started, restarted only where its unit changed', async () => {
    const machine = aMachine()
    expect(await startService(machine, 'x.service', 'created')).toBe('enabled and started')
    expect(await startService(machine, 'x.service', 'unchanged')).toBe('enabled and started')
    expect(await startService(machine, 'x.service', 'changed')).toBe('restarted')
    const start = ['daemon-reload', 'enable x.service', 'start x.service']
    expect(machine.asked).toEqual([...start, ...start, ...start.slice(0, 2), 'restart x.service'])
  })

  it('that does not start says what systemd said', async () => {
    const starting = startService(aMachine('Job failed.\n'), 'x.service', 'created')
    await expect(starting).rejects.toThrow('systemctl start x.service failed: Job failed.')
  })

  it('is stopped before its unit goes, and removed once', async () => {
    const machine = aMachine()
    const unitPath = join(dir, 'x.service')
    await putFile({ path: unitPath, content: 'x', mode: 0o644 })
    const what = { service: 'x.service', unitPath, manage: true }
    expect(await removeService(machine, what)).toBe(true)
    expect(machine.asked).toEqual(['disable --now x.service', 'daemon-reload'])
    expect(await removeService(machine, what)).toBe(false)
    expect(await readdir(dir)).toEqual([])
  })

  it('has files that are whole, with their mode, and the operator’s own are kept', async () => {
    const file = { path: join(dir, 'deep/env'), content: 'one', mode: 0o600, keep: true }
    expect(await putFile(file)).toBe('created')
    expect((await stat(file.path)).mode & 0o777).toBe(0o600)
    expect(await putFile({ ...file, content: 'two' })).toBe('kept')
    expect(await readFile(file.path, 'utf8')).toBe('one')
    expect(await putFile({ ...file, keep: false, content: 'two' })).toBe('changed')
    expect(await putFile({ ...file, keep: false, content: 'two' })).toBe('unchanged')
  })
})

describe('a unit', () => {
  it('keeps the words of a command line as they were typed', () => {
    expect(['/srv/a', '/srv/a b', '50%', '$HOME', 'a"b\\c'].map(quoteWord)).toEqual([
      '/srv/a',
      '"/srv/a b"',
      '50%%',
      '$$HOME',
      '"a\\"b\\\\c"',
    ])
    expect(() => quoteWord('a\nExecStart=evil')).toThrow(/control characters/)
  })

  it('writes a setting once for each item, and none that is absent', () => {
    const unit = renderUnit({ Unit: { A: 'a', B: undefined }, Service: { C: ['1', '2'] } })
    expect(unit).toBe('[Unit]\nA=a\n\n[Service]\nC=1\nC=2\n')
  })
})
