// What pages of the tests may not do or keep, and how that is found.
import type { Page } from 'playwright-core'

/** Part of every value that a test types or stores: it may be in a container, and in nothing that is kept or told. */
export const canary = 'Kanarie4d1e'

/** As it is, and as base64 has it, wherever in a text it begins. */
const forms = [
  canary,
  ...[0, 1, 2].map((before) =>
    Buffer.from(`${'x'.repeat(before)}${canary}`)
      .toString('base64')
      .slice(before === 0 ? 0 : before + 1, -4),
  ),
]
export const hasCanary = (text: string): boolean => forms.some((form) => text.includes(form))

/** The same as an expression of a page. */
const hasCanaryIn = (text: string): string =>
  `${JSON.stringify(forms)}.some((form) => ${text}.includes(form))`

/** Where a page could keep a value, or show one. */
const keptIn = `JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, history.state, location.href, document.title, document.documentElement.outerHTML, [...document.querySelectorAll('input, textarea')].map((field) => field.value), performance.getEntries().map((entry) => entry.name)])`

/** Names of all that the browser stores for the site; the rest of the page's memory goes with it. */
const stores = `Promise.all([indexedDB.databases(), caches.keys(), navigator.serviceWorker.getRegistrations()]).then((found) => [...found.flat().map(String), ...Object.keys(sessionStorage), ...Object.keys(localStorage)])`

/** What is remembered: how pages look, and how logs are read. */
const mayStore = new Set(['stagely.look', 'stagely.logs', 'vitepress-theme-appearance'])

/** In each page: what breaks the policy, and a value in the events that a tab tells the others, are errors. */
export const inPage = `
document.addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sourceFile))
new BroadcastChannel('stagely-live').addEventListener('message', ({ data }) => { if (${hasCanaryIn('JSON.stringify(data)')}) console.error('a value is in an event') })
`

/**
 * The browser logs each refused request: that nobody is logged in or in a team, that a confirmation is wanted, that
 * a dry run names what is wrong, or that a request for access asks for too much or is not there.
 */
const isExpected = (text: string, url: string): boolean =>
  text.startsWith('Failed to load resource') &&
  (url.includes('/api/v1/session') ||
    (url.includes('/api/v1/stream') && text.includes('403')) ||
    (url.includes('dry_run=true') && text.includes('422')) ||
    (url.includes('/access-requests') && /422|404/.test(text)) ||
    text.includes('401') ||
    text.includes('ERR_'))

export const watch = (page: Page, found: string[], ours: string): void => {
  page.on('console', (message) => {
    const [text, { url }] = [message.text(), message.location()]
    const isOfOurs = url === '' || url.startsWith(ours)
    if (message.type() === 'error' && isOfOurs && !isExpected(text, url))
      found.push(`console: ${text} ${url}`)
    if (hasCanary(text)) found.push('a value is in the console')
  })
  page.on('request', (request) => {
    if (hasCanary(request.url())) found.push(`a value is in an address: ${request.method()}`)
    if (hasCanary(JSON.stringify(request.headers()))) found.push('a value is in a header')
    const isBatch = request.url().endsWith('/secrets/batch')
    if (!isBatch && hasCanary(request.postData() ?? ''))
      found.push(`a value is sent to ${request.url()}`)
  })
  page.on('pageerror', (error) => found.push(`error: ${error.stack ?? error.message}`))
}

/** What an open page keeps that it may not. */
export const searched = async (page: Page): Promise<string[]> => {
  if (!page.url().includes('/ui/')) return []
  const [isKept, names] = await page.evaluate<[boolean, string[]]>(
    `${stores}.then((names) => { const kept = ${keptIn}; return [${hasCanaryIn('kept')}, names] })`,
  )
  return [
    ...(isKept ? [`a value is left in the page ${page.url()}`] : []),
    ...names.filter((name) => !mayStore.has(name)).map((name) => `${name} is stored`),
  ]
}
