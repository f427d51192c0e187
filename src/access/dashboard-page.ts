// Where a login may lead back to. The controller and the dashboard both ask.

/**
 * True for a path of the dashboard as a browser will ask for it: no other origin, and nothing that browsers or servers
 * rewrite, such as dot segments, which would leave the dashboard.
 */
export const isDashboardPage = (path: string): boolean => {
  if (!/^\/ui\/[\w./?=&%,:*~-]*$/.test(path)) return false
  const asked = path.split('?', 1)[0] ?? ''
  if (asked.includes('//') || /%(2e|2f|5c|0|1|7f)/i.test(asked)) return false
  const url = new URL(path, 'http://page')
  return url.host === 'page' && url.pathname === asked
}
