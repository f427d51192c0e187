// Addresses that pages had before, which bookmarks and messages still have: each leads to the page of today, with its
// query. Pure.
const project = '(/ui/t/[^/]+/p/[^/]+)'

const former: readonly (readonly [from: string, to: string])[] = [
  ['/ui/rollouts', '/ui/revisions'],
  ['/ui/propagation', '/ui/revisions'],
  [`${project}/rollout`, '$1/revisions/newest'],
  [`${project}/history`, '$1/revisions'],
  [`${project}/history/([^/]+)`, '$1/revisions/$2'],
]

/** One revision, or two that are compared, were open beside the list. */
const opened = (path: string, query: URLSearchParams): string => {
  const [older, newer] = (/^(\d{1,15})\.\.(\d{1,15})$/.exec(query.get('compare') ?? '') ?? [])
    .slice(1)
    .toSorted((a, b) => Number(a) - Number(b))
  const revision = newer ?? query.get('revision') ?? ''
  query.delete('compare')
  query.delete('revision')
  if (older !== undefined) query.set('against', older)
  return /^\d{1,15}$/.test(revision) && path.endsWith('/revisions') ? `${path}/${revision}` : path
}

/** undefined: it is an address of today. */
export const formerUrl = (url: string): string | undefined => {
  const { pathname, searchParams } = new URL(url, 'http://page')
  for (const [from, to] of former) {
    const pattern = new RegExp(`^${from}/?$`)
    if (!pattern.test(pathname)) continue
    const path = opened(pathname.replace(pattern, to), searchParams)
    return searchParams.size === 0 ? path : `${path}?${searchParams.toString()}`
  }
  return undefined
}
