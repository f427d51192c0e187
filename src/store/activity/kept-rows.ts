// What a commit says of what happened, as keep_records() takes it: see migrations/0054-row-by-row.sql.
import type { Changes } from '../log/changes.ts'
import type { Happening } from './happening.ts'

const columns = ({ projectUid, ...row }: Happening): string =>
  JSON.stringify({ ...row, project_uid: projectUid })

/** `forgotten` are stagelets that are gone: their rollouts go with them. */
export const keptRows = ({
  happenings,
  objects,
}: Pick<Changes, 'happenings' | 'objects'>): Record<'happenings' | 'forgotten', string[]> => ({
  happenings: [...happenings.values()].map(columns),
  forgotten: objects
    .filter(({ type, ref }) => type === 'DELETED' && ref.kind === 'Stagelet')
    .map(({ row }) => JSON.stringify(row.uid)),
})
