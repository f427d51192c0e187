import { expect, it } from 'vitest'
import { narrowerPlaces, placesText, type SecretPlace } from './wider.ts'

const at = (text: string): SecretPlace => {
  const [scope = '', stagelet] = text.split('@')
  return stagelet === undefined ? { scope } : { scope, stagelet }
}

it.each([
  ['global', ['api'], ['api']],
  ['global', ['api@prod', 'web'], ['api@prod', 'web']],
  ['global@prod', ['api'], ['api']],
  ['global', ['global@prod'], ['global@prod']],
  ['api', ['api@prod'], ['api@prod']],
  // It was there, or wider, before.
  ['global', ['global'], []],
  ['global@prod', ['global', 'api'], []],
  ['api@prod', ['global', 'api'], []],
  // A place of its own, which was named.
  ['worker', ['api'], []],
  ['worker', ['api@prod'], []],
  ['api@test', ['api@prod'], []],
  ['global', [], []],
  // No service sees those of the controller.
  ['global', ['global@@controller'], []],
])('%s beside %j goes beyond %j', (place, before, narrower) => {
  const known = before.map((text) =>
    text.endsWith('@@controller') ? { scope: 'global', stagelet: '@controller' } : at(text),
  )
  expect(narrowerPlaces(known, at(place))).toEqual(narrower.map(at))
})

it('names places once', () => {
  expect(placesText([at('web@prod'), at('api'), at('api'), at('global@test')])).toBe(
    'all services of stagelet test, service api, service web of stagelet prod',
  )
})
