import { describe, expect, it } from 'vitest'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { execProgram, guardedCommand, type ExecResult } from './exec.ts'

const sh = (script: string, tweak: object = {}) =>
  execProgram({
    file: '/bin/sh',
    args: ['-c', script],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    timeoutMs: 20_000,
    ...tweak,
  })

describe('execProgram', () => {
  it('gives input and environment, and takes output and exit code', async () => {
    const result = await sh('cat; echo " $A" >&2; exit 3', {
      stdin: 'input',
      env: { A: 'b', PATH: '/usr/bin:/bin' },
    })
    expect(result).toMatchObject({
      exitCode: 3,
      stdout: 'input\n',
      stderr: ' b\n',
      timedOut: false,
    })
  })

  it('closes the input when there is none, and lets a program ignore it', async () => {
    expect((await sh('cat')).exitCode).toBe(0)
    expect((await sh('exit 0', { stdin: 'x'.repeat(1 << 20) })).exitCode).toBe(0)
  })

  it('starts nothing when its input is cut off, as by the end of whoever gives it', async () => {
    for (const begun of ['', 'services: {}\n', 'half of it #end-of-']) {
      const child = spawn(...guardedCommand('/bin/echo', ['started']))
      let output = ''
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
      child.stdin.end(begun)
      expect(await once(child, 'close')).toEqual([97, null])
      expect(output).toBe('')
    }
  })

  it('hands over a large input unchanged', async () => {
    const stdin = `${'  KEY: "back\\\\slash %s $$HOME \\n"\n'.repeat(60_000)}end`
    expect((await sh('cat', { stdin })).stdout).toBe(`${stdin}\n`)
  })

  it('gives no piece of the input in the environment, whatever a variable is called', async () => {
    const env = { PATH: '/usr/bin:/bin', input: 'own', A: 'b', REPLY: 'c' }
    const { stdout, exitCode } = await sh('env', { env, stdin: 'x'.repeat(200_000) })
    expect(exitCode).toBe(0)
    for (const [name, value] of Object.entries(env)) expect(stdout).toContain(`${name}=${value}\n`)
    expect(stdout).not.toContain('xxx')
  })

  it('keeps the end of a long stderr', async () => {
    const { stderr } = await sh(
      'i=0; while [ $i -lt 20000 ]; do echo 0123456789 >&2; i=$((i+1)); done; echo last >&2',
    )
    expect(stderr.length).toBeLessThanOrEqual(64 * 1024)
    expect(stderr.endsWith('last\n')).toBe(true)
    expect(stderr.startsWith('0123456789\n')).toBe(true)
  })

  it('keeps no piece of a line whose beginning is cut off', async () => {
    const { stderr } = await sh(`printf '%0200000d\\nlast\\n' 7 >&2`)
    expect(stderr).toBe('last\n')
  })

  it('runs in a session of its own, and ends the whole group at the deadline, by force if need be', async () => {
    const result = await sh(
      'trap "" TERM; (trap "" TERM; sleep 30) & ps -o pid=,sid= -p $$; sleep 30',
      { timeoutMs: 1_500, killAfterMs: 100 },
    )
    expect(result).toMatchObject({ exitCode: undefined, signal: 'SIGKILL', timedOut: true })
    const [pid, sid] = result.stdout.trim().split(/\s+/)
    expect(pid).toBe(sid)
  })

  it('says why a program could not be started', async () => {
    expect((await sh('', { file: '/nonexistent' })).startError).toBe('ENOENT')
    expect((await sh('', { env: { A: 'x'.repeat(200_000) } })).startError).toBe('E2BIG')
    expect((await sh('', { env: { A: 'x\0' } })).startError).toBeDefined()
  })

  it('does not wait for what the program left behind, which may hold its output for ever', async () => {
    const left = `setsid sh -c 'echo $$; exec sleep 20' &`
    const endIt = ({ stdout }: ExecResult): void => {
      // 0 would be the processes of the test.
      expect(Number(stdout)).toBeGreaterThan(1)
      process.kill(Number(stdout))
    }
    const result = await sh(left, { lingerMs: 1_500 })
    expect(result).toMatchObject({ exitCode: 0, timedOut: false })
    endIt(result)
    const killed = await sh(`${left} wait`, { timeoutMs: 1_500, lingerMs: 200 })
    expect(killed).toMatchObject({ signal: 'SIGTERM', timedOut: true })
    endIt(killed)
  })
})
