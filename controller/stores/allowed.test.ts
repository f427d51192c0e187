import { describe, expect, it } from 'vitest'
import { matchesKey, notAllowed } from './allowed.ts'

describe('what a store allows', () => {
  it.each([
    ['prod/shop/*', 'prod/shop/db', true],
    ['prod/shop/*', 'prod/shop/a/b', true],
    ['prod/shop/*', 'prod/shop', false],
    ['prod/shop/*', 'prod/shopping/db', false],
    ['*', 'anything', true],
    ['*/db', 'prod/db', true],
    ['*/db', 'prod/db2', false],
    ['a*b*c', 'abc', true],
    ['a*b*c', 'axxbyyc', true],
    ['a*b*c', 'acb', false],
    ['ab*ba', 'aba', false],
    ['prod/db', 'prod/db', true],
    ['prod/db', 'PROD/DB', false],
    ['prod.db', 'prodxdb', false],
  ])('%s has %s: %s', (pattern, key, has) => {
    expect(matchesKey(pattern, key)).toBe(has)
  })

  it('is nothing without allow, and needs both a project and a key', () => {
    const spec = { allow: { projects: ['shop'], remote: ['prod/*'] } }
    const asked = { project: 'shop', key: 'prod/db' }
    expect(notAllowed({}, asked)).toContain('allows nothing')
    expect(notAllowed(spec, asked)).toBeUndefined()
    expect(notAllowed(spec, { ...asked, project: 'blog' })).toContain('project "blog"')
    expect(notAllowed(spec, { ...asked, key: 'dev/db' })).toContain('key "dev/db"')
  })

  it('is nothing for secrets beyond the environments that it names', () => {
    const spec = {
      allow: { projects: ['shop'], environments: ['production'], remote: ['prod/*'] },
    }
    const asked = { project: 'shop', key: 'prod/db' }
    expect(notAllowed(spec, { ...asked, environments: ['production'] })).toBeUndefined()
    for (const environments of [undefined, ['staging'], ['production', 'staging']])
      expect(notAllowed(spec, { ...asked, environments })).toContain('only secrets of production')
  })
})
