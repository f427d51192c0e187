// The chosen team is in the query (`?team=`), so that a link shows the same to a colleague.
import { useLocation } from 'preact-iso'

/** Changes parameters of the query; undefined takes one away. */
export const withQuery = (
  url: string,
  change: Readonly<Record<string, string | undefined>>,
): string => {
  const at = new URL(url, 'http://page')
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined || value === '') at.searchParams.delete(name)
    else at.searchParams.set(name, value)
  }
  return at.pathname + at.search
}

export const useTeam = (): string | undefined => useLocation().query['team']

/** One parameter of the query as state. Setting it makes no entry in the history unless `push`. */
export const useQueryState = (
  name: string,
): readonly [string | undefined, (value: string | undefined, push?: boolean) => void] => {
  const { query, url, route } = useLocation()
  const set = (value: string | undefined, push = false): void =>
    route(withQuery(url, { [name]: value }), !push)
  return [query[name], set]
}
