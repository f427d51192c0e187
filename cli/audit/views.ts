// Audit rows as tables.
import type { ReadSecret } from '../../src/generated/rest-types.ts'
import type { AuditRecord } from '../../src/audit/record.ts'
import { fields, type RecordView } from '../output/records.ts'

const objectOf = ({ object: { kind, namespace, name } }: AuditRecord): string =>
  `${kind.toLowerCase()}/${namespace === '' ? '' : `${namespace}/`}${name}`

export const recordView: RecordView<AuditRecord> = {
  columns: [
    { header: 'ROW', cell: (r) => r.seq ?? '' },
    { header: 'TIME', cell: (r) => r.at.replace(/\.\d+Z$/, 'Z') },
    { header: 'ACTOR', cell: (r) => r.actor.name },
    { header: 'ACTION', cell: (r) => r.action },
    { header: 'OBJECT', cell: objectOf },
    { header: 'RESULT', cell: (r) => r.result },
    { header: 'FROM', cell: (r) => r.actor.address ?? r.actor.source },
    { header: 'ID', cell: (r) => r.actor.id ?? '', wide: true },
    { header: 'REQUEST', cell: (r) => r.request_id ?? '', wide: true },
    {
      header: 'DETAIL',
      cell: (r) => (r.detail === undefined ? '' : JSON.stringify(r.detail)),
      wide: true,
    },
  ],
  nameOf: (r) => `audit/${r.seq ?? ''}`,
  empty: 'No audit rows found.',
}

export const revealedView: RecordView<ReadSecret> = {
  columns: [
    { header: 'TEAM', cell: (r) => r.namespace },
    ...fields<ReadSecret>('project', 'key', 'scope'),
    { header: 'READ VERSION', cell: (r) => r.version },
    { header: 'CURRENT', cell: (r) => r.current_version ?? '(gone)' },
    { header: 'ROTATE', cell: (r) => (r.knows_current ? 'yes' : '') },
    { header: 'READS', cell: (r) => r.reads, wide: true },
    { header: 'LAST READ', cell: (r) => r.last_read_at, wide: true },
    { header: 'NAME', cell: (r) => r.name, wide: true },
  ],
  nameOf: (r) => `stagelysecret/${r.name}`,
  empty: 'No values read.',
}
