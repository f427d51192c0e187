import { expect, it } from 'vitest'
import { formerUrl } from './former-url.ts'

it('leads from each address of before to the page of today, and keeps what of the query has a meaning', () => {
  const shop = '/ui/t/default/p/shop'
  const cases = {
    '/ui/rollouts?team=default': '/ui/revisions?team=default',
    '/ui/propagation?team=red&project=shop&days=7': '/ui/revisions?team=red&project=shop&days=7',
    [`${shop}/rollout`]: `${shop}/revisions/newest`,
    [`${shop}/history`]: `${shop}/revisions`,
    [`${shop}/history/`]: `${shop}/revisions`,
    [`${shop}/history/7`]: `${shop}/revisions/7`,
    [`${shop}/history?revision=7&team=default`]: `${shop}/revisions/7?team=default`,
    [`${shop}/history?compare=9..10`]: `${shop}/revisions/10?against=9`,
    [`${shop}/history?compare=10..9`]: `${shop}/revisions/10?against=9`,
    [`${shop}/history?compare=9..x&revision=x`]: `${shop}/revisions`,
  }
  for (const [from, to] of Object.entries(cases))
    expect([from, formerUrl(from)]).toEqual([from, to])
})

it('leaves an address of today', () => {
  for (const path of ['/ui/', '/ui/revisions', '/ui/t/a/p/history', '/ui/t/a/s/shop?tab=history'])
    expect(formerUrl(path)).toBeUndefined()
})
