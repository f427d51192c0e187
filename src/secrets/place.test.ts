import { expect, it } from 'vitest'
import { narrowerPlaces, placesText, type SecretPlace } from './place.ts'

const placeOf = (text: string): SecretPlace => {
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
  const places = before.map((text) =>
    text.endsWith('@@controller') ? { scope: 'global', stagelet: '@controller' } : placeOf(text),
  )
  expect(narrowerPlaces(places, placeOf(place))).toEqual(narrower.map(placeOf))
})

it('names places once', () => {
  expect(
    placesText([placeOf('web@prod'), placeOf('api'), placeOf('api'), placeOf('global@test')]),
  ).toBe('all services of stagelet test, service api, service web of stagelet prod')
})
