import { describe, expect, it } from 'vitest'
import { defaultRetention } from '../src/store/compaction.ts'
import { parseConfig } from './config.ts'
import { parseRetention } from './retention-config.ts'

describe('how much history stays', () => {
  it('has defaults, each of which a variable replaces', () => {
    expect(parseRetention({}, [])).toEqual(defaultRetention)
    const env = { STAGELY_KEEP_VERSIONS: '3', STAGELY_KEEP_DELETED_DAYS: '30' }
    expect(parseConfig(['--data-dir', 'd'], env).retention).toEqual({
      versions: 3,
      revisions: 20,
      deletedMs: 30 * 86_400_000,
      requestsMs: 400 * 86_400_000,
    })
  })

  it.each(['0', '-1', '1.5', 'many', '100001'])('refuses %s, naming the variable', (text) => {
    const faults: string[] = []
    for (const name of ['VERSIONS', 'REVISIONS', 'DELETED_DAYS'])
      parseRetention({ [`STAGELY_KEEP_${name}`]: text }, faults)
    expect(faults).toHaveLength(3)
    expect(faults[2]).toBe('STAGELY_KEEP_DELETED_DAYS must be a whole number from 1 to 100000')
  })
})
