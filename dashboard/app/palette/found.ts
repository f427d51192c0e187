// What the controller finds by name: secrets of projects that were not opened, and all else of one's teams.
import { useEffect, useState } from 'preact/hooks'
import type { SearchResult } from '../../../src/generated/rest-types.ts'
import { api, must } from '../../api/client.ts'
import { agentUrl, projectUrl, stageletUrl } from '../../ui/text/links.ts'
import type { Item } from './item.ts'
import { secretItem } from './items.ts'

const restMs = 150
const fewest = 2

const itemOf = (found: SearchResult): Item => {
  const { kind, id, team, name } = found
  if (kind === 'secret') return secretItem(found)
  const href = { project: projectUrl, stagelet: stageletUrl, agent: agentUrl }[kind]({ team, name })
  return { id, text: name, place: team, group: 'Objects', href, words: [kind] }
}

/** Asked when the typing rests. `failed`: only what the page knows is shown. */
export const useFound = (
  text: string,
): { readonly items: readonly Item[]; readonly failed: boolean } => {
  const [found, setFound] = useState({ items: [] as readonly Item[], failed: false })
  useEffect(() => {
    const q = text.trim()
    if (q.length < fewest) {
      setFound({ items: [], failed: false })
      return undefined
    }
    const abort = new AbortController()
    const timer = setTimeout(() => {
      must(api.GET('/search', { params: { query: { q } }, signal: abort.signal })).then(
        ({ results }) => setFound({ items: results.map(itemOf), failed: false }),
        () => {
          if (!abort.signal.aborted) setFound({ items: [], failed: true })
        },
      )
    }, restMs)
    return () => {
      abort.abort()
      clearTimeout(timer)
    }
  }, [text])
  return found
}
