import { describe, expect, it } from 'vitest'
import { ComposeError, isAtLeast } from './compose.ts'

describe('Compose', () => {
  it('compares versions by number', () => {
    expect(isAtLeast('2.29.3', '2.29.3')).toBe(true)
    expect(isAtLeast('2.9.9', '2.29.3')).toBe(false)
    expect(isAtLeast('5.0.0', '2.29.3')).toBe(true)
  })

  it('does not repeat what it quotes of a broken .env', () => {
    const stderr = 'failed to read /srv/.env: line 3: unterminated quoted value "hunter2\nnext'
    const result = { exitCode: 1, signal: undefined, timedOut: false, stdout: '', stderr }
    const error = new ComposeError('config', { ...result, startError: undefined }, (t) => t)
    expect(error.stderr).toBe('failed to read /srv/.env: line 3: unterminated quoted value …\nnext')
  })

  it('fails with masked output, without warnings', () => {
    const stderr = 'time="2026" level=warning msg="The \\"A\\" variable is not set"\nno: hush\n'
    const result = {
      exitCode: 15,
      signal: undefined,
      timedOut: false,
      stdout: '',
      stderr,
      startError: undefined,
    }
    const error = new ComposeError('up', result, (t) => t.replaceAll('hush', '***'))
    expect(error.message).toBe('docker compose up failed with exit code 15: no: ***')
  })
})
