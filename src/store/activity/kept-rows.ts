// Happenings of a commit as keep_records() takes them: see migrations/0065-baseline.sql.
import type { Changes } from '../core/changes.ts'
import type { Happening } from '../core/activity-entry.ts'

const columns = ({ projectUid, ...row }: Happening): string =>
  JSON.stringify({ ...row, project_uid: projectUid })

/** `forgotten` are removed stagelets: their rollouts are removed too. */
export const keptRows = ({
  happenings,
  objects,
}: Pick<Changes, 'happenings' | 'objects'>): Record<'happenings' | 'forgotten', string[]> => ({
  happenings: [...happenings.values()].map(columns),
  forgotten: objects
    .filter(({ type, ref }) => type === 'DELETED' && ref.kind === 'Stagelet')
    .map(({ row }) => JSON.stringify(row.uid)),
})
