// Names that a namespace had which is gone. What is bound to such a name may be the old team's.
import type { SessionReads } from './session-reads.ts'
import type { WriteSession } from './session.ts'

export const noteFormerNamespace = (session: WriteSession, name: string): Promise<void> =>
  session.send('INSERT INTO former_namespaces (name) VALUES ($1) ON CONFLICT DO NOTHING', [name])

export const hadNamespaceBefore = async (reads: SessionReads, name: string): Promise<boolean> => {
  const rows = await reads.read('SELECT 1 FROM former_namespaces WHERE name = $1', [name])
  return rows.length > 0
}
