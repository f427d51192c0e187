import { toFineTimestamp } from '../../src/kernel/clock.ts'
import { describe, expect, it } from 'vitest'
import {
  endedByOthers,
  findChanges,
  isExitUnclear,
  isWholeStackStopped,
  lastingAfter,
  waitForPerson,
  type DriftInput,
} from './drift.ts'
import { createContainerExits } from './container-exits.ts'
import { aContainer } from '../../test/support/agents/a-container.ts'
import type { ObservedContainer } from './container.ts'

const now = 1_700_000_000_000
const container = (service: string, over: Partial<ObservedContainer> = {}): ObservedContainer =>
  aContainer(service, 'right', {
    name: `shop-${service}-1`,
    startedAt: toFineTimestamp(now - 3_600_000),
    createdAtMs: now - 3_600_000,
    ...over,
  })
const before = [container('db'), container('web')]

/** What is told after these events of the engine, when the containers are as given. */
const inputOf = (
  containers: readonly ObservedContainer[],
  events: readonly (readonly [action: string, service: string])[],
): DriftInput => {
  const exits = createContainerExits()
  for (const [Action, service] of events)
    exits.note({ Action, Actor: { ID: `id-${service}`, Attributes: {} } }, now)
  return {
    affected: ['db', 'web'],
    before,
    now: containers,
    wanted: new Map([
      ['db', 'right'],
      ['web', 'right'],
    ]),
    exitOf: exits.exitOf,
    interrupted: new Set(),
    stopped: endedByOthers(containers, { exitOf: exits.exitOf, lasting: new Set() }),
    byOf: () => undefined,
  }
}
const ended = (service: string, exitCode: number): ObservedContainer =>
  container(service, { state: 'exited', exitCode })
const stop = (service: string): (readonly [string, string])[] => [
  ['kill', service],
  ['stop', service],
  ['die', service],
]

describe('drift', () => {
  it.each<[string, readonly (readonly [string, string])[], number]>([
    ['Stopped', stop('web'), 143],
    ['Stopped', stop('web'), 0],
    [
      'Killed',
      [
        ['kill', 'web'],
        ['die', 'web'],
      ],
      137,
    ],
    ['Died', [['die', 'web']], 1],
    ['Died', [], 1],
  ])('tells %s by the events %j', (what, events, exitCode) => {
    expect(findChanges(inputOf([container('db'), ended('web', exitCode)], events))).toEqual([
      { service: 'web', container: 'shop-web-1', what, exitCode },
    ])
  })

  it('names who has just touched a service through the agent, but not for a crash', () => {
    const byOf = (service: string): string | undefined => (service === 'web' ? 'ann' : undefined)
    const changesIn = (input: DriftInput) => findChanges({ ...input, byOf })
    const both = inputOf([ended('db', 143), ended('web', 143)], [...stop('db'), ...stop('web')])
    expect(changesIn(both).map(({ service, by }) => [service, by])).toEqual([
      ['db', undefined],
      ['web', 'ann'],
    ])
    expect(changesIn(inputOf([container('db')], []))).toMatchObject([
      { what: 'Removed', by: 'ann' },
    ])
    const crashed = inputOf([container('db'), ended('web', 1)], [['die', 'web']])
    expect(changesIn(crashed)[0]).not.toHaveProperty('by')
  })

  it('tells of a container that ran out of memory, with its limit', () => {
    const dead = container('web', { state: 'exited', exitCode: 137, outOfMemory: 2 ** 25 })
    expect(findChanges(inputOf([container('db'), dead], [['die', 'web']]))).toEqual([
      {
        service: 'web',
        container: 'shop-web-1',
        what: 'Died',
        exitCode: 137,
        outOfMemory: 2 ** 25,
      },
    ])
  })

  it('takes a signal that ended nothing for no cause of a later crash', () => {
    const events = [
      ['kill', 'web'],
      ['start', 'web'],
      ['die', 'web'],
    ] as const
    expect(findChanges(inputOf([ended('web', 1)], events))[0]?.what).toBe('Removed')
    expect(findChanges(inputOf([container('db'), ended('web', 1)], events))[0]?.what).toBe('Died')
  })

  it('tells of a container that is gone, and of one that took its place without secrets', () => {
    const stranger = container('web', { id: 'other', digest: '' })
    expect(findChanges(inputOf([stranger], []))).toEqual([
      { service: 'db', container: 'shop-db-1', what: 'Removed' },
      { service: 'web', container: 'shop-web-1', what: 'Replaced' },
    ])
  })

  it('tells of a container of an earlier revision that was stopped that it was stopped', () => {
    const old = container('web', { state: 'exited', exitCode: 143, digest: 'of-revision-2' })
    expect(findChanges(inputOf([container('db'), old], stop('web')))).toEqual([
      { service: 'web', container: 'shop-web-1', what: 'Stopped', exitCode: 143 },
    ])
  })

  it('knows a stack that somebody stopped, or took down, as a whole, and not its own Compose', () => {
    const all = [...stop('web'), ...stop('db')]
    const down = [...all, ['destroy', 'web'], ['destroy', 'db']] as const
    expect(isWholeStackStopped(inputOf([ended('db', 143), ended('web', 0)], all))).toBe(true)
    expect(isWholeStackStopped(inputOf([], down))).toBe(true)
    const byCompose = {
      ...inputOf([ended('db', 143), ended('web', 0)], all),
      interrupted: new Set(['id-web']),
    }
    expect(isWholeStackStopped(byCompose)).toBe(false)
  })

  it('takes no container for stopped that came after a rollout had stopped the one before, and failed', () => {
    const fails = (service: string, exitCode: number): ObservedContainer => ({
      ...ended(service, exitCode),
      id: `next-${service}`,
    })
    const both = [fails('db', 1), fails('web', 3)]
    const replaced = [...stop('db'), ...stop('web')]
    expect(isWholeStackStopped(inputOf(both, replaced))).toBe(false)
    expect(isWholeStackStopped(inputOf([fails('db', 1), ended('web', 0)], replaced))).toBe(false)
  })

  it('does not take a crash, a forced removal, or half a stop for one', () => {
    const crash = [
      ['die', 'db'],
      ['die', 'web'],
    ] as const
    const forced = [['kill', 'db'], ['die', 'db'], ['destroy', 'db'], ...stop('web')] as const
    expect(isWholeStackStopped(inputOf([ended('db', 1), ended('web', 1)], crash))).toBe(false)
    expect(isWholeStackStopped(inputOf([], forced))).toBe(false)
    expect(isWholeStackStopped(inputOf([container('db'), ended('web', 1)], stop('web')))).toBe(
      false,
    )
  })

  it('stays out of the way of a person for ten seconds, and of a crash not at all', () => {
    const stopped = inputOf([container('db'), ended('web', 143)], stop('web'))
    expect(waitForPerson(stopped, now)).toBe(10_000)
    expect(waitForPerson(stopped, now + 10_000)).toBe(0)
    expect(waitForPerson(inputOf([container('db'), ended('web', 1)], [['die', 'web']]), now)).toBe(
      0,
    )
    const startedAt = toFineTimestamp(now)
    const stranger = container('web', { id: 'other', digest: '', startedAt })
    expect(waitForPerson(inputOf([container('db'), stranger], stop('web')), now)).toBe(2_000)
    expect(waitForPerson(stopped, now - 86_400_000)).toBe(0)
  })

  describe('an end with exit code 0', () => {
    const finishedAt = toFineTimestamp(now - 5_000)
    const done = container('web', { state: 'exited', finishedAt })
    const stoppedAfter = (
      events: readonly (readonly [string, string])[],
      lasting: readonly string[],
    ): string[] => {
      const { exitOf } = inputOf([done], events)
      return [...endedByOthers([done], { exitOf, lasting: new Set(lasting) })]
    }
    it('is that of a job when it was seen to end by itself, or is not known to be anything else', () => {
      expect(stoppedAfter([['die', 'web']], ['web'])).toEqual([])
      expect(stoppedAfter([], [])).toEqual([])
    })

    it('is one by others when somebody sent a signal, or nobody saw it and it is no job', () => {
      expect(stoppedAfter(stop('web'), [])).toEqual(['id-web'])
      const killed = [['kill', 'web'] as const, ['die', 'web'] as const]
      expect(stoppedAfter(killed, [])).toEqual(['id-web'])
      expect(stoppedAfter([], ['web'])).toEqual(['id-web'])
    })

    it('is not clear for a moment, until its event must have come', () => {
      const unseen = inputOf([done], []).exitOf
      expect(isExitUnclear([done], unseen, now - 4_000)).toBe(true)
      expect(isExitUnclear([done], unseen, now)).toBe(false)
      expect(isExitUnclear([done], unseen, now - 86_400_000)).toBe(false)
      expect(isExitUnclear([done], inputOf([done], [['die', 'web']]).exitOf, now - 4_000)).toBe(
        false,
      )
    })

    it('makes a job of a service only when it was seen', () => {
      const exitSeen = inputOf([done], [['die', 'web']]).exitOf
      const unseen = inputOf([done], []).exitOf
      expect(lastingAfter(['web'], [done], unseen)).toEqual(['web'])
      expect(lastingAfter(['web'], [done], exitSeen)).toEqual([])
      expect(lastingAfter([], [done], unseen)).toEqual([])
      expect(lastingAfter([], [container('web')], unseen)).toEqual(['web'])
    })
  })

  it('does not come between an up by hand and what shares with the one that it has re-created', () => {
    const [db, web] = [container('db'), container('web', { cutOff: true })]
    const made = { ...db, id: 'next-db', startedAt: toFineTimestamp(now - 500) }
    const input = { ...inputOf([made, web], []), affected: ['web'] }
    expect(waitForPerson(input, now)).toBe(1_500)
    expect(waitForPerson(input, now + 1_500)).toBe(0)
    expect(waitForPerson({ ...input, now: [db, web] }, now)).toBe(0)
  })

  it('does not come between an up by hand and the dependency that it waits for', () => {
    const createdAtMs = now - 3_000
    const made = container('web', { id: 'other', digest: '', state: 'created', createdAtMs })
    expect(waitForPerson(inputOf([container('db'), made], stop('web')), now)).toBe(57_000)
    expect(waitForPerson(inputOf([container('db'), made], stop('web')), now + 57_000)).toBe(0)
  })

  it('knows of a signal before the end is told', () => {
    const { exitOf } = inputOf([], [['kill', 'web']])
    expect([exitOf('id-web')?.how, exitOf('id-db')]).toEqual(['Killed', undefined])
  })

  it('knows nothing any more once events were missed', () => {
    const exits = createContainerExits()
    exits.note({ Action: 'stop', Actor: { ID: 'a', Attributes: {} } }, now)
    exits.note(undefined, now)
    expect(exits.exitOf('a')).toBeUndefined()
  })
})
