// From page to page of the dashboard without a new document, which costs half a second of CPU: scripts, lists and the
// stream of events come anew.
import type { Page } from 'playwright-core'

/** Within the page, as a link does it; waits, in the page, until nothing is to come, for a minute. */
export const goTo = (page: Page, path: string): Promise<void> =>
  page.evaluate(`new Promise((done, fail) => {
    const until = performance.now() + 60_000
    const look = () => {
      const isThere = document.querySelector('main h1') !== null
      if (isThere && document.querySelector('[class*="_skeleton_"]') === null) done()
      else if (performance.now() > until) fail(new Error('${path} is not complete: ' + document.body.innerText))
      else setTimeout(look, 20)
    }
    history.pushState(null, '', '${path}')
    dispatchEvent(new PopStateEvent('popstate'))
    setTimeout(look)
  })`)

/**
 * Leaves what a test has opened, stored and staged. Answers with the address of a file where the next test needs a new
 * document: what looks and keys are like was changed, or nobody is logged in.
 */
export const leave = (page: Page): Promise<string | null> =>
  page.evaluate<string | null>(`(() => {
    const isUnchanged = localStorage.length === 0 && document.querySelector('[class*=module_shell_] > nav') !== null
    localStorage.clear()
    if (!isUnchanged) return document.querySelector('[rel=icon]').href
    dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))
    history.pushState(null, '', '/ui/nowhere')
    dispatchEvent(new PopStateEvent('popstate'))
    return null
  })()`)
