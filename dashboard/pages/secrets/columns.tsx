// The columns of the list of secrets.
import type { Column } from '../../ui/grid/grid.tsx'
import { StateText, Glyph } from '../../ui/state.tsx'
import { PlainValue } from '../../ui/plain-value.tsx'
import { Ago, Since } from '../../ui/time.tsx'
import type { SecretRow } from '../project/data.ts'
import { hasNoService } from './filter/hints.ts'
import type { RunCount } from '../project/run-count.ts'
import s from './page.module.css'

const stagedWords = { create: 'new', update: 'new value', delete: 'to be deleted' } as const

export const stagedWord = ({ edit }: Pick<SecretRow, 'edit'>): string => {
  if (edit === undefined) return ''
  const visibility = edit.op === 'update' ? edit.fields?.['visibility'] : undefined
  const becomes = typeof visibility === 'string' ? `now ${visibility.toLowerCase()}` : undefined
  if (edit.op !== 'update' || edit.bytes !== undefined)
    return [stagedWords[edit.op], ...(becomes === undefined ? [] : [becomes])].join(', ')
  return becomes ?? 'moved'
}

export const RunsState = ({ runs }: { readonly runs: RunCount }) => {
  const { kind, current, total, word } = runs
  if (total === 0) return <span class="muted">no service</span>
  const say = word === 'unknown' ? `${current} of ${total} known` : `${current} of ${total}`
  return <StateText kind={kind}>{say}</StateText>
}

export const columns: readonly Column<SecretRow>[] = [
  {
    id: 'key',
    title: 'Key',
    width: 'minmax(130px, 2.4fr)',
    render: ({ secret, isStaged, edit }) => (
      <>
        {isStaged ? <Glyph kind="staged" /> : null}
        <span class={edit?.op === 'delete' ? s['gone'] : s['key']}>{secret.key}</span>
        {secret.type === 'file' ? <span class={s['tag']}>file</span> : null}
        {secret.references === true ? <span class={s['tag']}>references</span> : null}
        {secret.visibility === 'Plain' ? <span class={s['tag']}>plain</span> : null}
        {secret.audience === 'Controller' ? <span class={s['tag']}>controller</span> : null}
      </>
    ),
  },
  {
    id: 'scope',
    title: 'Scope',
    width: 'minmax(80px, 1fr)',
    render: ({ secret }) => (
      <>
        <span class={s['cut']}>{secret.scope}</span>
        {hasNoService(secret) ? <span class={s['tag']}>no such service</span> : null}
        {secret.stagelet === undefined ? null : (
          <span class={s['narrow']}>of {secret.stagelet}</span>
        )}
        {secret.environments === undefined ? null : (
          <span class={s['narrow']}>in {secret.environments.join(', ')}</span>
        )}
      </>
    ),
  },
  {
    id: 'stagelet',
    title: 'Stagelet',
    width: 'minmax(90px, 1fr)',
    wide: true,
    render: ({ secret: { stagelet, environments, audience } }) => {
      const only = stagelet ?? (environments && `in ${environments.join(', ')}`)
      return (
        <span class={only === undefined ? 'muted' : s['cut']}>
          {only ?? (audience === 'Controller' ? 'none' : 'all')}
        </span>
      )
    },
  },
  {
    id: 'value',
    title: 'Value',
    width: 'minmax(80px, 1fr)',
    wide: true,
    render: ({ secret }) =>
      secret.value === undefined ? (
        <span class="muted">{secret.version === 0 ? 'none' : 'masked'}</span>
      ) : (
        <span class={s['cut']}>
          <PlainValue text={secret.value} />
        </span>
      ),
  },
  {
    id: 'version',
    title: 'V',
    width: '52px',
    align: 'end',
    wide: true,
    render: ({ secret }) => <span class="num">{secret.version === 0 ? '–' : secret.version}</span>,
  },
  {
    id: 'runs',
    title: 'Runs in',
    width: 'minmax(122px, 1fr)',
    render: ({ runs, secret }) =>
      secret.version === 0 ? <span class="muted">no value</span> : <RunsState runs={runs} />,
  },
  {
    id: 'since',
    title: 'Since',
    width: 'minmax(104px, 1fr)',
    wide: true,
    render: ({ runs }) => <Since at={runs.since} />,
  },
  {
    id: 'changed',
    title: 'Changed',
    width: 'minmax(130px, 1.3fr)',
    wide: true,
    render: (row) =>
      row.isStaged ? (
        <StateText kind="staged">{stagedWord(row)}</StateText>
      ) : (
        <span class={`muted ${s['cut']}`}>
          {row.secret.updated_by ?? row.secret.source} · <Ago at={row.secret.updated_at} />
        </span>
      ),
  },
]
