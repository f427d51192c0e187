import { describe, expect, it } from 'vitest'
import { messageOf, StagelyError } from '../src/kernel/errors.ts'
import { startFault } from './start-fault.ts'

const thrown = (message: string, fields: object): Error => Object.assign(new Error(message), fields)

describe('startFault', () => {
  it.each([
    [
      thrown('database "shpo" does not exist', { code: '3D000' }),
      /"shpo" does not exist: .*DATABASE_URL/,
    ],
    [
      thrown('password authentication failed', { code: '28P01' }),
      /failed: correct user and password/,
    ],
    [thrown('write ENOSPC', { code: 'ENOSPC' }), /no space is left on the disk of \/data/],
    [{ name: 'ErrnoError', errno: 51 }, /no space is left on the disk of \/data/],
    [thrown('EADDRINUSE', { syscall: 'listen' }), /cannot listen: EADDRINUSE; --listen/],
    [new StagelyError('Conflict', 'in use'), /^in use$/],
  ])('says of %s in one sentence what helps', (error, text) => {
    expect(startFault(error, '/data')).toMatch(text)
  })

  it('leaves alone what nobody foresaw', () => {
    expect(startFault(new TypeError('x is not a function'), '/data')).toBeUndefined()
  })
})

describe('messageOf', () => {
  it('says what an object says that is no Error', () => {
    expect(messageOf({ name: 'ErrnoError', errno: 44, node: {} })).toBe('name ErrnoError, errno 44')
    expect(messageOf({})).not.toContain('[object')
  })
})
