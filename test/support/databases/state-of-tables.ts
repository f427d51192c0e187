// Whether the state in memory is what the tables hold.
import { loadState } from '../../../src/store/log/load.ts'
import type { Opened } from '../../../src/store/open/open-store.ts'
import type { StoreState } from '../../../src/store/state/state.ts'

type Rows = Record<string, unknown>

const rowsOf = <R extends { id: string }>(rows: Iterable<R>, of: (row: R) => unknown): Rows =>
  Object.fromEntries([...rows].map((row): [string, unknown] => [row.id, of(row)]).sort(byId))

const byId = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1)

/** All that the state says, in one order. */
export const contentOf = (state: StoreState): Rows => ({
  rv: state.rv,
  chain: state.chain,
  objects: rowsOf(state.objects.rows(), ({ uid, rv, source, text }) => [uid, rv, source, text]),
  projects: rowsOf(state.projects.rows(), ({ lines: _, ...row }) =>
    JSON.parse(JSON.stringify(row)),
  ),
  heads: rowsOf(state.heads.rows(), ({ projectUid, entry }) => [projectUid, entry]),
  deletedSecrets: rowsOf(state.deletedSecrets.rows(), ({ projectUid }) => projectUid),
})

/** Both contents; equal, unless somebody writes meanwhile. */
export const stateAndTables = async ({
  store,
  sql,
}: Pick<Opened, 'store' | 'sql'>): Promise<{ state: Rows; tables: Rows }> => {
  await store.currentVersion()
  return { tables: contentOf(await loadState(sql)), state: contentOf(store.state) }
}
