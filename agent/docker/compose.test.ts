import { describe, expect, it } from 'vitest'
import { ComposeError, isAtLeast } from './compose.ts'

describe('Compose', () => {
  it('compares versions by number', () => {
    expect(isAtLeast('2.29.3', '2.29.3')).toBe(true)
    expect(isAtLeast('2.9.9', '2.29.3')).toBe(false)
    expect(isAtLeast('5.0.0', '2.29.3')).toBe(true)
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
