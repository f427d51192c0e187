// The lines of a file of secrets, each with what it does; one may be skipped, or go to another scope.
import { Grid, type Column } from '../../../ui/grid/grid.tsx'
import { StateText } from '../../../ui/state.tsx'
import { doesText, isSkipped, type LineChoice, type PlannedLine } from './import-plan.ts'
import s from '../page.module.css'

interface Props {
  readonly lines: readonly PlannedLine[]
  readonly scopes: readonly string[]
  readonly onChoose: (where: string, choice: LineChoice) => void
}

const columnsOf = ({ scopes, onChoose }: Props): readonly Column<PlannedLine>[] => [
  {
    id: 'take',
    title: <span class="visually-hidden">Take</span>,
    width: '40px',
    render: (line) => (
      <input
        type="checkbox"
        aria-label={`Take ${line.key} of ${line.where}`}
        checked={!isSkipped(line)}
        onChange={(event) => onChoose(line.where, { isOut: !event.currentTarget.checked })}
      />
    ),
  },
  {
    id: 'key',
    title: 'Key',
    width: 'minmax(64px, 2fr)',
    render: ({ key }) => (
      <span class={s['key']} title={key}>
        {key}
      </span>
    ),
  },
  {
    id: 'line',
    title: 'Line',
    width: 'minmax(56px, auto)',
    wide: true,
    render: ({ where }) => where.replace('line ', ''),
  },
  {
    id: 'bytes',
    title: 'Bytes',
    width: '72px',
    align: 'end',
    wide: true,
    render: ({ bytes }) => <span class="num">{bytes}</span>,
  },
  {
    id: 'scope',
    title: 'Scope',
    width: 'minmax(80px, 1fr)',
    render: ({ key, where, scope, stagelet }) => (
      <>
        <select
          class={s['lineScope']}
          aria-label={`Scope of ${key}`}
          value={scope}
          onChange={(event) => onChoose(where, { scope: event.currentTarget.value })}
        >
          {(scopes.includes(scope) ? scopes : [scope, ...scopes]).map((name) => (
            <option value={name}>{name}</option>
          ))}
        </select>
        {stagelet === '' ? null : <span class="muted">of {stagelet}</span>}
      </>
    ),
  },
  {
    id: 'visibility',
    title: 'Visibility',
    width: 'minmax(92px, 110px)',
    render: ({ key, where, visibility }) => (
      <select
        class={s['lineScope']}
        aria-label={`Visibility of ${key}`}
        value={visibility}
        onChange={({ currentTarget }) =>
          onChoose(where, { visibility: currentTarget.value === 'Plain' ? 'Plain' : 'Masked' })
        }
      >
        <option value="Masked">masked</option>
        <option value="Plain">plain</option>
      </select>
    ),
  },
  {
    id: 'does',
    title: 'Change',
    width: 'minmax(84px, 1.4fr)',
    render: (line) => (
      <>
        <span class={isSkipped(line) ? 'muted' : ''}>{doesText[line.does]}</span>
        {line.odd === undefined ? null : (
          <span title={line.odd}>
            <StateText kind="warn">looks masked</StateText>
          </span>
        )}
        {line.doubt === true ? <StateText kind="warn">plain, looks like a secret</StateText> : null}
      </>
    ),
  },
]

export const ImportLines = (props: Props) => (
  <div class={s['lines']} style={{ height: `${Math.min(props.lines.length, 8) * 36 + 38}px` }}>
    <Grid
      label="Lines of the file"
      rows={props.lines}
      idOf={({ where }) => where}
      columns={columnsOf(props)}
    />
  </div>
)
