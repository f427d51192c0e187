import { describe, expect, it } from 'vitest'
import {
  always,
  decisions,
  results,
  underWay,
  type Effect,
  type State,
  type Then,
} from './machine.ts'

const states = Object.keys(decisions) as State[]
const wayOf = (then: Then): State[] => (then.do === 'move' && then.to ? [then.to] : [])
const effectsIn = (state: State): Effect[] =>
  Object.values({ ...always, ...underWay, ...decisions[state] }).flatMap((then) =>
    then.do === 'effect' ? [then.effect] : [],
  )
/** By a decision, or by the result of an effect that is done in this state. */
const waysOf = (state: State): State[] => [
  ...Object.values(decisions[state]).flatMap(wayOf),
  ...effectsIn(state)
    .filter((effect) => effect !== 'verify')
    .flatMap((effect) => Object.values<Then>(results[effect]).flatMap(wayOf)),
]
const reachedFrom = (start: State): Set<State> => {
  const reached = new Set<State>([start])
  for (const state of reached) for (const next of waysOf(state)) reached.add(next)
  return reached
}

describe('the machine of a rotation', () => {
  it.each(states)('comes from Idle to %s, and back', (state) => {
    expect(reachedFrom('Idle')).toContain(state)
    expect(reachedFrom(state)).toContain('Idle')
  })

  it('ends an old credential only where it is stored that it ends', () => {
    const ending = states.filter(
      (state) => decisions[state].Otherwise === decisions.Ending.Otherwise,
    )
    expect(ending).toEqual(['Ending'])
    for (const state of states)
      for (const [guard, then] of Object.entries(decisions[state]))
        if (then.do === 'effect' && then.effect === 'revoke' && state !== 'Ending')
          expect(guard).toBe('NothingToEnd')
    expect(waysOf('Ending').filter((state) => state !== 'Idle')).toEqual([])
    expect(states.filter((state) => effectsIn(state).includes('beginRevoke'))).toEqual(['Revoking'])
  })

  it('comes to the end of the old credential only from a proof', () => {
    const before = (state: State): State[] => states.filter((from) => waysOf(from).includes(state))
    expect(before('Ending')).toEqual(['Revoking'])
    expect(before('Revoking')).toEqual(['Proving', 'Overlapping'])
    expect(before('Overlapping')).toEqual(['Proving'])
  })

  it('goes back only from where the new values are written', () => {
    const from = states.filter((state) => waysOf(state).includes('RollingBack'))
    expect(from).toEqual(['RollingOut', 'Proving', 'RollingBack'])
  })

  it.each(states)('has a last row in %s that always holds', (state) => {
    const guards = Object.keys(decisions[state])
    expect(['Otherwise', 'NotDue', 'Proven']).toContain(guards.at(-1))
  })
})
