import { expect, it } from 'vitest'
import { isDashboardPage } from './dashboard-page.ts'

it.each([
  '/ui/',
  '/ui/me',
  '/ui/t/team-a/p/shop?lens=list&q=key:DB_*',
  '/ui/t/a/p/b?at=/ui/../x',
  '/ui/a%20b',
  '/ui/a..b',
])('a login leads back to the page %s', (path) => {
  expect(isDashboardPage(path)).toBe(true)
})

it.each([
  '',
  '/',
  'ui/',
  '/ui',
  'https://evil.example/',
  '//evil.example',
  '/ui/\\evil',
  '/ui/#x',
  '/ui/../auth/login?redirect_uri=x',
  '/ui/./me',
  '/ui/..',
  '/ui/%2e%2e/auth/login',
  '/ui/.%2E/auth/login',
  '/ui/..%2fauth/login',
  '/ui/..%5cauth/login',
  '/ui//evil.example',
  '/ui/%0d%0aset-cookie',
])('a login leads back to no other place: %s', (path) => {
  expect(isDashboardPage(path)).toBe(false)
})
