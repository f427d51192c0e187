import { expect, it } from 'vitest'
import { boundlessNodes } from './alias-bombs.ts'

const bomb = (levels: number, each: number): string => {
  const lines = ['x-0: &a0 [lol]']
  for (let i = 1; i <= levels; i += 1)
    lines.push(`x-${i}: &a${i} [${Array.from({ length: each }, () => `*a${i - 1}`).join(', ')}]`)
  return `services: {web: {image: app}}\n${lines.join('\n')}\n`
}

it('finds a text whose aliases grow beyond memory, in lists and in maps, without growing itself', () => {
  expect(boundlessNodes(bomb(9, 9))).toBeGreaterThan(9 ** 8)
  expect(boundlessNodes(bomb(30, 2))).toBeGreaterThan(2 ** 29)
  const maps = Array.from(
    { length: 20 },
    (_, i) => `x-${i + 1}: &m${i + 1}\n  a: *m${i}\n  b: *m${i}\n`,
  )
  expect(boundlessNodes(`x-0: &m0 {k: v}\n${maps.join('')}`)).toBeGreaterThan(2 ** 19)
})

it('leaves stacks as people write them, and what is no YAML', () => {
  const services = Array.from(
    { length: 500 },
    (_, i) => `  s${i}:\n    <<: *defaults\n    environment: {<<: *env, N: "${i}"}\n`,
  )
  const text = `x-env: &env {A: a, B: b}\nx-defaults: &defaults {image: app, restart: always}\nservices:\n${services.join('')}`
  expect(boundlessNodes(text)).toBeUndefined()
  expect(boundlessNodes(bomb(2, 3))).toBeUndefined()
  expect(boundlessNodes(`${'- *nobody\n'.repeat(40)}: {[`)).toBeUndefined()
  expect(boundlessNodes(`command: ${'ls *.txt '.repeat(40)}`)).toBeUndefined()
})

it('ends where an alias leads into its own anchor', () => {
  expect(
    boundlessNodes(`a: &a [${Array.from({ length: 20 }, () => '*a').join(', ')}]`),
  ).toBeUndefined()
})
