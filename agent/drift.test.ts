import { describe, expect, it } from 'vitest'
import { findChanges, isWholeStackStopped, waitForPerson, type DriftInput } from './drift.ts'
import { createEndings } from './endings.ts'
import type { ObservedContainer } from './observe.ts'

const now = 1_700_000_000_000
const container = (service: string, over: Partial<ObservedContainer> = {}): ObservedContainer => ({
  id: `id-${service}`,
  name: `shop-${service}-1`,
  service,
  digest: 'right',
  state: 'running',
  health: undefined,
  healthOutput: '',
  exitCode: 0,
  error: '',
  restartCount: 0,
  restartPolicy: 'no',
  startedAt: new Date(now - 3_600_000).toISOString(),
  createdAtMs: now - 3_600_000,
  healthBudgetMs: undefined,
  replaces: undefined,
  ...over,
})
const before = [container('db'), container('web')]

/** What is told after these events of the engine, when the containers are as given. */
const look = (
  containers: readonly ObservedContainer[],
  events: readonly (readonly [action: string, service: string])[],
): DriftInput => {
  const endings = createEndings()
  for (const [Action, service] of events)
    endings.note({ Action, Actor: { ID: `id-${service}`, Attributes: {} } }, now)
  return {
    affected: ['db', 'web'],
    before,
    now: containers,
    wanted: new Map([
      ['db', 'right'],
      ['web', 'right'],
    ]),
    endingOf: endings.of,
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
    expect(findChanges(look([container('db'), ended('web', exitCode)], events))).toEqual([
      { service: 'web', container: 'shop-web-1', what, exitCode },
    ])
  })

  it('takes a signal that ended nothing for no cause of a later crash', () => {
    const events = [
      ['kill', 'web'],
      ['start', 'web'],
      ['die', 'web'],
    ] as const
    expect(findChanges(look([ended('web', 1)], events))[0]?.what).toBe('Removed')
    expect(findChanges(look([container('db'), ended('web', 1)], events))[0]?.what).toBe('Died')
  })

  it('tells of a container that is gone, and of one that took its place without secrets', () => {
    const stranger = container('web', { id: 'other', digest: '' })
    expect(findChanges(look([stranger], []))).toEqual([
      { service: 'db', container: 'shop-db-1', what: 'Removed' },
      { service: 'web', container: 'shop-web-1', what: 'Replaced' },
    ])
  })

  it('knows a stack that somebody stopped, or took down, as a whole', () => {
    const all = [...stop('web'), ...stop('db')]
    const down = [...all, ['destroy', 'web'], ['destroy', 'db']] as const
    expect(isWholeStackStopped(look([ended('db', 143), ended('web', 0)], all))).toBe(true)
    expect(isWholeStackStopped(look([], down))).toBe(true)
  })

  it('does not take a crash, a forced removal, or half a stop for one', () => {
    const crash = [
      ['die', 'db'],
      ['die', 'web'],
    ] as const
    const forced = [['kill', 'db'], ['die', 'db'], ['destroy', 'db'], ...stop('web')] as const
    expect(isWholeStackStopped(look([ended('db', 1), ended('web', 1)], crash))).toBe(false)
    expect(isWholeStackStopped(look([], forced))).toBe(false)
    expect(isWholeStackStopped(look([container('db'), ended('web', 1)], stop('web')))).toBe(false)
  })

  it('stays out of the way of a person for ten seconds, and of a crash not at all', () => {
    const stopped = look([container('db'), ended('web', 143)], stop('web'))
    expect(waitForPerson(stopped, now)).toBe(10_000)
    expect(waitForPerson(stopped, now + 10_000)).toBe(0)
    expect(waitForPerson(look([container('db'), ended('web', 1)], [['die', 'web']]), now)).toBe(0)
    const startedAt = new Date(now).toISOString()
    const stranger = container('web', { id: 'other', digest: '', startedAt })
    expect(waitForPerson(look([container('db'), stranger], stop('web')), now)).toBe(2_000)
    expect(waitForPerson(stopped, now - 86_400_000)).toBe(0)
  })

  it('knows nothing any more once events were missed', () => {
    const endings = createEndings()
    endings.note({ Action: 'stop', Actor: { ID: 'a', Attributes: {} } }, now)
    endings.note(undefined, now)
    expect(endings.of('a')).toBeUndefined()
  })
})
