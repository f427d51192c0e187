import { describe, expect, it } from 'vitest'
import { checkPreview, faultOfPreviewName, isOfRepository } from './preview.ts'

const environments = [{ name: 'production', protected: true }, { name: 'preview' }]
const faultsOf = (tweak: object): string[] =>
  checkPreview({ environment: 'preview', from: 'shop', ...tweak }, environments).map(
    ({ field, message }) => `${field}: ${message}`,
  )

describe('the template of previews', () => {
  it('needs files, a machine, and an environment of the project that is not protected', () => {
    expect(faultsOf({})).toEqual([])
    expect(faultsOf({ environment: 'production' })[0]).toMatch(/it is protected/)
    expect(faultsOf({ environment: 'preprod' })[0]).toMatch(
      /does not list it \(production, preview\)/,
    )
    expect(faultsOf({ from: undefined }).map((fault) => fault.split(':')[0])).toEqual([
      'spec.preview.from',
      'spec.preview.agentRef',
    ])
    expect(faultsOf({ agentRef: { name: 'a' }, agentSelector: { matchLabels: {} } })[0]).toMatch(
      /not both/,
    )
    expect(faultsOf({ directory: '/srv/one' })[0]).toMatch(/needs \{name\}/)
  })

  it('tells each placeholder that stands for nothing', () => {
    const variables = { PORT: '{port 20000-20999}', HOST: '{name}.{project}.test' }
    expect(faultsOf({ variables, address: 'https://{HOST}:{PORT}/{agent}' })).toEqual([])
    for (const text of ['{nam}', '{port 0-9}', '{port 9-8}', '{port 1-65536}', '{port}'])
      expect(faultsOf({ variables: { A: text } })[0]).toMatch(/stands for nothing/)
    expect(faultsOf({ address: 'http://box:{port 1-9}' })[0]).toMatch(/there are \{name\}/)
    expect(faultsOf({ directory: '/srv/{name}/{agent}' })[0]).toMatch(
      /\{agent\} stands for nothing/,
    )
  })
})

it('the name of a preview fits Compose, with that of its project', () => {
  expect(faultOfPreviewName('shop', 'pr-42')).toBeUndefined()
  for (const name of ['', 'PR', 'a_b', '-a', 'a-', 'a/b', '..'])
    expect(faultOfPreviewName('shop', name)).toMatch(/must be lower case/)
  expect(faultOfPreviewName('shop', 'x'.repeat(58))).toBeUndefined()
  expect(faultOfPreviewName('shop', 'x'.repeat(59))).toMatch(/has 64 characters of 63/)
})

it.each([
  ['ghcr.io/acme/web', true],
  ['ghcr.io/acme/web:1.2', true],
  ['ghcr.io/acme/web@sha256:00', true],
  ['ghcr.io/acme/web:1@sha256:00', true],
  ['ghcr.io/acme/web-evil', false],
  ['ghcr.io/acme/web/evil', false],
  ['evil/ghcr.io/acme/web', false],
  ['ghcr.io:5000/acme/web', false],
])('%s is of the repository ghcr.io/acme/web: %s', (image, isAllowed) => {
  expect(isOfRepository(image, 'ghcr.io/acme/web')).toBe(isAllowed)
})

it('a repository with a "*" stands for all that begin so', () => {
  expect(isOfRepository('ghcr.io/acme/web:1', 'ghcr.io/acme/*')).toBe(true)
  expect(isOfRepository('ghcr.io/acme.evil/web:1', 'ghcr.io/acme/*')).toBe(false)
})
