import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseId, renderId } from './ids.ts'

describe('ids', () => {
  it('hold the uid and come back to it', () => {
    const uids = Array.from({ length: 200 }, () => randomUUID() as string)
    uids.push('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    for (const uid of uids) {
      const id = renderId('StagelySecret', uid)
      expect(id).toMatch(/^sec_[0-9a-z]{25}$/)
      expect(parseId('StagelySecret', id)).toBe(uid)
    }
  })

  it('are of one kind and of one spelling', () => {
    const id = renderId('Project', randomUUID())
    expect(parseId('StagelySecret', id)).toBeUndefined()
    const others = [
      id.toUpperCase(),
      `${id}0`,
      id.slice(0, -1),
      'proj_',
      '',
      `proj_${'z'.repeat(25)}`,
    ]
    for (const other of others) expect(parseId('Project', other)).toBeUndefined()
  })
})
