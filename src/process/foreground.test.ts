import { describe, expect, it } from 'vitest'
import { runForeground } from './foreground.ts'
import type { PipedResult } from './piped.ts'

const sh = (script: string, env: Record<string, string> = {}): Promise<PipedResult> =>
  runForeground({
    file: '/bin/sh',
    args: ['-c', script],
    env: { PATH: '/usr/bin:/bin', ...env },
    hasTerminal: false,
  })

describe('runForeground', () => {
  it('gives just this environment, and passes the exit code on', async () => {
    expect(await sh('[ "$A" = "b c" ] && [ -z "$HOME" ] && exit 7', { A: 'b c' })).toEqual({
      exitCode: 7,
      startError: undefined,
    })
  })

  it('tells the signal that ended it as a shell does', async () => {
    expect((await sh('kill -TERM $$')).exitCode).toBe(143)
  })

  it('passes signals on, and stops listening afterwards', async () => {
    const before = process.listenerCount('SIGUSR2')
    const running = sh(
      `trap 'exit 5' USR2; kill -USR2 ${process.pid}; while :; do sleep 0.01; done`,
    )
    expect((await running).exitCode).toBe(5)
    expect(process.listenerCount('SIGUSR2')).toBe(before)
  })

  it('says when there is no such program', async () => {
    const request = { file: '/no/such', args: [], env: {}, hasTerminal: false }
    expect(await runForeground(request)).toEqual({ exitCode: 127, startError: 'ENOENT' })
  })
})
