import { expect, it } from 'vitest'
import { countedRows } from '../../../../test/support/databases/counted-rows.ts'
import type { RestContext } from '../route.ts'
import { searchRoutes } from './search-routes.ts'

it('lets others have their turn while it reads many names, and reads each once', async () => {
  const secrets = countedRows('StagelySecret', 2_000)
  const store = {
    list: (kind: string) =>
      Promise.resolve({
        items: kind === 'StagelySecret' ? secrets.rows.map(({ object }) => object) : [],
      }),
    listRows: (kind: string) => Promise.resolve(kind === 'StagelySecret' ? secrets.rows : []),
  }
  const [route] = searchRoutes
  const search = async (q: string): Promise<unknown> => {
    const context = { deps: { store }, principal: { admin: true }, query: { q, limit: 1 } }
    return (await route!.handle(context as unknown as RestContext)).body
  }
  for (const name of ['secret-700', 'secret-900'])
    expect(await search(name)).toMatchObject({ results: [{ kind: 'secret', name }] })
  expect(secrets.parsed).toBe(2_000)
  expect(secrets.mostInOneTurn).toBeLessThan(500)
})
