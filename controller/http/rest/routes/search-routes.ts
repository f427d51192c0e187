// Search by name, over all that the caller may list. Names only: a value is nowhere in it.
import { projectNameOf } from '../../../../src/resources/project-ref.ts'
import { specOf } from '../../../../src/kinds/typed.ts'
import * as z from 'zod'
import { defined } from '../../../../src/kernel/defined.ts'
import { mapYielding } from '../../../../src/kernel/async/map-yielding.ts'
import { teamsWhere } from '../../../../src/access/principal.ts'
import { named } from '../../../../src/kinds/names.ts'
import type { KubeObject } from '../../../../src/resources/meta.ts'
import type { ListedObject } from '../../../../src/store/store.ts'
import { bestOf, wordsOf } from '../../../../src/search/fit.ts'
import { idOf } from '../ids.ts'
import { route, routesOf, type RestContext } from '../route.ts'

const most = 100

const foundSchema = z.strictObject({
  kind: z.enum(['project', 'stagelet', 'agent', 'secret']),
  id: z.string(),
  team: z.string(),
  project: z.string().optional().describe('Of a stagelet or a secret.'),
  name: z.string(),
  key: z.string().optional().describe('Of a secret.'),
  scope: z.string().optional().describe('Of a secret.'),
})
type Found = z.infer<typeof foundSchema>

/** In the order in which equally good matches are shown. */
const searched = ['Project', 'Stagelet', 'Agent', 'StagelySecret'] as const

const namesOf = (object: KubeObject): Omit<Found, 'kind' | 'id'> => {
  const { kind, metadata } = object
  const secret = kind === 'StagelySecret' ? specOf('StagelySecret', object) : undefined
  return {
    team: metadata.namespace ?? '',
    name: metadata.name,
    ...defined({ project: projectNameOf(object), key: secret?.key, scope: secret?.scope }),
  }
}

/** Of each stored row, which never changes: parsing the objects again would be most of a search. */
const foundBy = new WeakMap<ListedObject, Found>()

const foundIn = (row: ListedObject, kind: Found['kind']): Found => {
  const hits = foundBy.get(row)
  if (hits !== undefined) return hits
  const { object } = row
  const found = { kind, id: idOf(object), ...namesOf(object) }
  foundBy.set(row, found)
  return found
}

const search = async (
  { deps, principal }: RestContext,
  words: readonly string[],
): Promise<Found[]> => {
  const all: Found[] = []
  for (const kind of searched) {
    const { plural, rest } = named[kind]
    const within = teamsWhere(principal, 'list', plural)
    const rows = await deps.store.listRows(kind, { within })
    await mapYielding(rows, (row) => all.push(foundIn(row, rest.word)))
  }
  return bestOf(all, words, ({ name, key = '', team, project = '', scope = '' }) => ({
    own: [name, key],
    others: [team, project, scope],
  }))
}

export const searchRoutes = routesOf('Search', [
  route({
    id: 'search',
    at: 'GET /search',
    summary: 'Projects, stagelets, agents and secrets of all your teams by their names.',
    access: { in: 'teams', verb: 'list', resource: 'projects', placed: true },
    query: z.strictObject({
      q: z
        .string()
        .trim()
        .min(1)
        .max(200)
        .describe('Words, each of which is in a name, a key, a scope, the project or the team.'),
      limit: z.coerce.number().int().min(1).max(most).default(20).describe(`At most ${most}.`),
    }),
    response: {
      description: 'The best first. Never a value.',
      schema: z.strictObject({ results: z.array(foundSchema) }),
    },
    handle: async (context) => {
      const { q, limit } = context.query
      return { body: { results: (await search(context, wordsOf(q))).slice(0, limit) } }
    },
  }),
])
