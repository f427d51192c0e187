import { describe, expect, it } from 'vitest'
import type { Rollout, RolloutStagelet } from '../../src/generated/rest-types.ts'
import type { RolloutTarget } from './target.ts'
import { judgeRollout } from './verdict.ts'

const shop: RolloutTarget = { kind: 'Project', name: 'shop', project: 'shop' }
const one: RolloutTarget = { kind: 'Stagelet', name: 'one', project: 'shop' }
const a = (over: Partial<RolloutStagelet> = {}): RolloutStagelet => ({
  id: 'stg_1',
  name: 'one',
  agent: 'box',
  standing: 'busy',
  message: '',
  ...over,
})
const aView = (over: Partial<Rollout> = {}): Rollout => ({
  project: 'shop',
  team: 'default',
  revision: 5,
  change_set_open: false,
  in_turns: true,
  state: 'Progressing',
  healthy: 0,
  progressing: 1,
  waiting: 0,
  held: 0,
  failed: 0,
  message: 'revision 5: 0 healthy, 1 on their way, 0 waiting',
  stagelets: [a({ message: 'waiting until revision 5 is healthy (web: health check starting)' })],
  ...over,
})

describe('a rollout', () => {
  it('is waited for while a stagelet is on its way, which says what it waits for', () => {
    const { outcome, lines } = judgeRollout(aView(), shop)
    expect([outcome, lines[1]]).toEqual([
      'waiting',
      '  stagelet/one: waiting until revision 5 is healthy (web: health check starting)',
    ])
  })

  it('is not over while a newer revision is about to close, unless it failed', () => {
    const open = { change_set_open: true }
    expect(judgeRollout(aView({ ...open, state: 'Complete' }), shop)).toEqual({
      outcome: 'waiting',
      lines: ['Waiting for the change set of project "shop" to close as revision 6...'],
    })
    expect(judgeRollout(aView({ ...open, state: 'Stopped' }), shop).outcome).toBe('failed')
  })

  it('failed when it stopped or the brake is on, and says the command that goes on', () => {
    const stopped = judgeRollout(aView({ state: 'Stopped' }), shop)
    expect([stopped.outcome, stopped.lines[1]]).toEqual([
      'failed',
      expect.stringContaining('rollout retry project/shop'),
    ])
    const braked = judgeRollout(aView({ state: 'Braked' }), shop)
    expect(braked.lines[1]).toContain('rollout resume project/shop')
  })

  it('names each failed stagelet where all take it at once', () => {
    const stagelets = [a({ standing: 'failed', message: 'exit 7' }), a({ name: 'two' })]
    const { outcome, lines } = judgeRollout(aView({ state: 'Failed', stagelets }), shop)
    expect([outcome, lines.slice(1)]).toEqual(['failed', ['  stagelet/one: exit 7']])
  })

  it('of one stagelet is done, failed or late as that one is, whatever the others are', () => {
    const judge = (over: Partial<RolloutStagelet>): string =>
      judgeRollout(aView({ state: 'Stopped', stagelets: [a(over)] }), one).outcome
    expect(judge({ standing: 'healthy' })).toBe('done')
    expect(judge({ standing: 'failed' })).toBe('failed')
    expect(judge({ standing: 'late' })).toBe('failed')
    expect(judge({ standing: 'busy' })).toBe('waiting')
    expect(judge({ name: 'other' })).toBe('failed')
  })

  it('is held, and not waited for, while it is paused and nothing is on its way', () => {
    const paused = { state: 'Paused', progressing: 0, waiting: 2 } as const
    const { outcome, lines } = judgeRollout(aView(paused), shop)
    expect([outcome, lines[0]]).toEqual(['held', expect.stringContaining('rollout resume')])
    expect(judgeRollout(aView({ ...paused, progressing: 1 }), shop).outcome).toBe('waiting')
    expect(judgeRollout(aView({ ...paused, waiting: 0 }), shop).outcome).toBe('done')
  })

  it('is not done by a pause where a stagelet failed, or is not seen', () => {
    const paused: Partial<Rollout> = { state: 'Paused', progressing: 0, waiting: 0, stagelets: [] }
    expect(judgeRollout(aView({ ...paused, failed: 1 }), shop).outcome).toBe('failed')
    expect(judgeRollout(aView({ ...paused, unknown: 1 }), shop).outcome).toBe('waiting')
    const both = aView({ ...paused, unknown: 1, waiting: 1 })
    expect(judgeRollout(both, shop).outcome).toBe('held')
  })

  it('is over for who does not go on by itself, and says the reason', () => {
    const stuck = a({ reason: 'DirectoryNotAllowed', message: '/srv is in none of the folders' })
    for (const target of [shop, one]) {
      const { outcome, lines } = judgeRollout(aView({ stagelets: [stuck] }), target)
      expect([outcome, lines.join('\n')]).toEqual([
        'failed',
        expect.stringContaining('DirectoryNotAllowed: /srv is in none of the folders'),
      ])
    }
    const held = a({ standing: 'held', reason: 'Paused', message: 'it is paused' })
    expect(judgeRollout(aView({ stagelets: [held] }), one).outcome).toBe('held')
    const away = a({ standing: 'held', message: 'the agent is away' })
    expect(judgeRollout(aView({ stagelets: [away] }), one).outcome).toBe('waiting')
  })
})
