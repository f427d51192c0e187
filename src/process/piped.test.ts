import { readFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { pipeProgram, type PipedResult } from './piped.ts'

const collect = (onText: (all: string) => void = () => undefined) => {
  let text = ''
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString()
      onText(text)
      done()
    },
  })
  return { stream, text: () => text }
}

const sh = async (
  script: string,
  tweak: object = {},
): Promise<PipedResult & { stdout: string; stderr: string }> => {
  const [stdout, stderr] = [collect(), collect()]
  const result = await pipeProgram({
    file: '/bin/sh',
    args: ['-c', script],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    stdout: stdout.stream,
    stderr: stderr.stream,
    signal: new AbortController().signal,
    ...tweak,
  })
  return { ...result, stdout: stdout.text(), stderr: stderr.text() }
}

/** One that nobody has asked about yet (a zombie) has ended too. */
const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

describe('pipeProgram', () => {
  it('gives input, passes both outputs on, and tells the exit code', async () => {
    expect(await sh('cat; echo no >&2; exit 3', { stdin: 'input' })).toEqual({
      exitCode: 3,
      startError: undefined,
      stdout: 'input\n',
      stderr: 'no\n',
    })
  })

  it('tells a signal and a program that is not there as a shell does', async () => {
    expect((await sh('kill -9 $$')).exitCode).toBe(137)
    expect(await sh('', { file: '/nonexistent' })).toMatchObject({
      exitCode: 127,
      startError: 'ENOENT',
    })
  })

  it('passes on what is said while it runs, and ends the whole group when nobody wants it any more', async () => {
    const gone = new AbortController()
    const stdout = collect((text) => {
      if (text.endsWith('\n')) gone.abort()
    })
    const script = 'trap "" TERM; (trap "" TERM; while :; do sleep 1; done) & echo $$ $!; wait'
    const tweak = { stdout: stdout.stream, signal: gone.signal, killAfterMs: 100 }
    expect((await sh(script, tweak)).exitCode).toBe(137)
    const pids = stdout.text().trim().split(' ').map(Number)
    expect(pids.length).toBe(2)
    await expect.poll(() => pids.filter(isAlive)).toEqual([])
  })

  it('ends one at once that nobody wants when it starts', async () => {
    expect((await sh('sleep 60', { signal: AbortSignal.abort() })).exitCode).toBe(143)
  })

  it('is over soon after nobody wants it any more, also where no reader takes what was said', async () => {
    const gone = new AbortController()
    const stuck = new Writable({
      write: () => {
        gone.abort()
      },
    })
    const script = 'trap "" TERM; while :; do echo 0123456789; done'
    const tweak = { stdout: stuck, signal: gone.signal, killAfterMs: 100, lingerMs: 100 }
    expect((await sh(script, tweak)).exitCode).toBe(137)
    expect(stuck.destroyed).toBe(true)
  })

  it('is over as well where it ended by itself, and the reader takes nothing', async () => {
    const stuck = new Writable({ write: () => undefined })
    const tweak = { stdout: stuck, killAfterMs: 100, lingerMs: 100 }
    const result = await sh('echo said', { ...tweak, signal: AbortSignal.timeout(1_000) })
    expect(result.exitCode).toBe(0)
  })

  it('is over as well where something that it left behind holds its output', async () => {
    const gone = new AbortController()
    const stdout = collect(() => {
      gone.abort()
    })
    const tweak = { stdout: stdout.stream, signal: gone.signal, killAfterMs: 100, lingerMs: 100 }
    expect((await sh(`setsid sh -c 'echo $$; exec sleep 20' & wait`, tweak)).exitCode).toBe(143)
    process.kill(Number(stdout.text()))
  })
})
