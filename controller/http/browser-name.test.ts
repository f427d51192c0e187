import { expect, it } from 'vitest'
import { browserNameOf } from './browser-name.ts'

it('is what a person calls the browser, whatever else it claims to be', () => {
  const chrome =
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'
  expect(browserNameOf(chrome)).toBe('Chrome on Linux')
  expect(browserNameOf(`${chrome.replace('X11; Linux', 'Windows NT 10.0')} Edg/141.0`)).toBe(
    'Edge on Windows',
  )
  expect(
    browserNameOf(
      'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1',
    ),
  ).toBe('Safari on iOS')
  expect(browserNameOf('curl/8.5.0')).toBe('curl')
  expect(browserNameOf('<script>')).toBe('unknown browser')
  expect(browserNameOf(null)).toBe('unknown browser')
})
