import { expect, it } from 'vitest'
import type { Principal } from '../../../src/access/principal.ts'
import { countedRows } from '../../../test/support/counted-rows.ts'
import type { RestContext } from './route.ts'
import { searchRoutes } from './search-routes.ts'

it('lets others have their turn while it reads many names', async () => {
  const secrets = countedRows('StagelySecret', 2_000)
  const store = {
    list: (kind: string) =>
      Promise.resolve({
        items: kind === 'StagelySecret' ? secrets.rows.map(({ object }) => object) : [],
      }),
    listRows: (kind: string) => Promise.resolve(kind === 'StagelySecret' ? secrets.rows : []),
  }
  const [route] = searchRoutes
  const answer = await route!.handle({
    deps: { store },
    principal: { admin: true } as Principal,
    query: { q: 'secret-700', limit: 1 },
  } as unknown as RestContext)
  expect(answer.body).toMatchObject({ results: [{ kind: 'secret', name: 'secret-700' }] })
  expect(secrets.parsed).toBe(2_000)
  expect(secrets.mostInOneTurn).toBeLessThan(500)
})
