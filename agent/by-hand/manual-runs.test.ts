import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import { createManualRuns } from './manual-runs.ts'

describe('what persons do through the agent', () => {
  it('is put down to who touched the service, for a moment', async () => {
    const clock = createFakeClock(Date.parse('2026-01-31T10:00:00Z'))
    const manualRuns = createManualRuns(clock)
    const work = manualRuns.begin({ command: 'stop web', user: 'ann' })
    expect([manualRuns.isBusy(), manualRuns.last()]).toEqual([true, undefined])
    await clock.advance(2_000)
    work.end({ exitCode: 0, touched: ['web'] })
    expect(manualRuns.isBusy()).toBe(false)
    expect(manualRuns.last()).toEqual({
      command: 'stop web',
      user: 'ann',
      at: '2026-01-31T10:00:00Z',
      exitCode: 0,
      touched: ['web'],
    })
    expect(manualRuns.by('web')).toBe('ann (as told) with "stagely compose stop web"')
    expect(manualRuns.by('db')).toBeUndefined()
    for (const ms of [-3_600_000, 7_200_000]) {
      clock.jump(ms)
      expect(manualRuns.by('web')).toMatch(/^ann/)
    }
    await clock.advance(15_000)
    expect(manualRuns.by('web')).toBeUndefined()
    clock.jump(-3_610_000)
    expect(manualRuns.by('web')).toBeUndefined()
  })
})
