// The secrets of a project as a list: which keys exist, who sees them, what runs, since when, and what is staged.
// This is where one edits; nothing is stored before the review.
import { useLocation } from 'preact-iso'
import { useRef, useState } from 'preact/hooks'
import { useShortcuts } from '../../app/keys.ts'
import { whyNot } from '../../app/session.ts'
import { useQueryState } from '../../app/team.ts'
import { secretsOf } from '../../live/collections.ts'
import { stage, takeBack } from '../../staging/staging.ts'
import { Button } from '../../ui/button.tsx'
import { Grid } from '../../ui/grid.tsx'
import { projectUrl } from '../../ui/links.ts'
import { ProjectTabs } from '../../ui/project-tabs.tsx'
import { Empty, PageFrame, Skeleton } from '../../ui/page.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import Plus from 'icon:plus'
import { columns } from './columns.tsx'
import {
  useProject,
  useProjectPlace,
  useSecretRows,
  useSecretsState,
  useStagelets,
  type ProjectPlace,
  type SecretRow,
} from './data.ts'
import { SecretDrawer } from './drawer.tsx'
import { EditDialog } from './edit.tsx'
import { filterFlags, filterNames, parseFilter } from './filter.ts'
import { ImportDialog } from './import.tsx'
import { StagingBar } from './staging-bar.tsx'
import s from './page.module.css'

const FilterField = ({ count, shown }: { readonly count: number; readonly shown: number }) => {
  const [query, setQuery] = useQueryState('q')
  const field = useRef<HTMLInputElement>(null)
  useShortcuts([{ keys: '/', does: 'Filter', run: () => (field.current?.focus(), true) }])
  const { unknown } = parseFilter(query ?? '')
  const help = [...Object.values(filterNames), ...filterFlags.map((flag) => `is:${flag}`)].join(
    '  ',
  )
  return (
    <div class={s['filter']}>
      <input
        ref={field}
        type="search"
        aria-label="Filter the secrets"
        placeholder="filter, such as key:DB_* -is:global"
        title={help}
        value={query ?? ''}
        spellcheck={false}
        onInput={(event) => {
          setQuery(event.currentTarget.value)
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') field.current?.blur()
        }}
      />
      <span class="muted num" role="status">
        {unknown.length > 0 ? `not understood: ${unknown.join(' ')} · ` : ''}
        {shown === count ? count : `${shown} of ${count}`}
      </span>
    </div>
  )
}

/** While somebody looks at the rows none comes in between: new ones wait behind a button. */
const useSteady = (rows: readonly SecretRow[], isBusy: boolean) => {
  const kept = useRef<readonly string[]>([])
  const [, draw] = useState(0)
  const byId = new Map(rows.map((row) => [row.id, row]))
  const isKept = new Set(kept.current)
  const fresh = rows.filter((row) => !isKept.has(row.id) && !row.isStaged)
  const isHeld = isBusy && kept.current.length > 0 && fresh.length > 0
  const shown = isHeld ? rows.filter((row) => isKept.has(row.id) || row.isStaged) : rows
  if (!isHeld) kept.current = [...byId.keys()]
  const showNew = (): void => {
    kept.current = []
    draw((count) => count + 1)
  }
  return { shown, held: isHeld ? fresh.length : 0, showNew }
}

interface ListProps {
  readonly place: ProjectPlace
  readonly all: readonly SecretRow[]
  readonly open: SecretRow | undefined
  readonly noWrite: string | undefined
  readonly onOpen: (row: SecretRow) => void
  readonly onEdit: (row?: SecretRow) => boolean
  readonly onKey: (key: string, row: SecretRow) => boolean
}

const List = ({ place, all, open, noWrite, onOpen, onEdit, onKey }: ListProps) => {
  const { loading } = useSecretsState(place)
  const [query] = useQueryState('q')
  const [isBusy, setIsBusy] = useState(false)
  const { shown, held, showNew } = useSteady(all.filter(parseFilter(query ?? '').test), isBusy)
  if (all.length === 0)
    return loading === 'ready' ? (
      <Empty
        title="No secret yet"
        action={
          <Button look="primary" whyNot={noWrite} onPress={() => onEdit()}>
            New secret
          </Button>
        }
      >
        Give the first one here, or bring in a file:{' '}
        <code>stagely secrets import --project {place.project} .env</code>
      </Empty>
    ) : (
      <Skeleton rows={8} />
    )
  return (
    <>
      {held > 0 ? (
        <p class={s['held']}>
          <Button small onPress={showNew}>
            {held} new
          </Button>
        </p>
      ) : null}
      <Grid
        label={`Secrets of ${place.project}`}
        columns={columns}
        rows={shown}
        idOf={({ id }) => id}
        isCurrent={(row) => row === open}
        isMarked={({ isStaged }) => isStaged}
        onOpen={onOpen}
        onKey={onKey}
        onBusy={setIsBusy}
        empty="No secret matches this filter."
      />
    </>
  )
}

const useActions = (place: ProjectPlace, noWrite: string | undefined) => {
  const { team, project } = place
  const [editing, setEditing] = useState<{ readonly row?: SecretRow | undefined } | undefined>()
  const edit = (row?: SecretRow): boolean => {
    if (noWrite !== undefined) return false
    setEditing({ row })
    return true
  }
  const remove = (row: SecretRow): boolean => {
    if (noWrite !== undefined || row.secret.name === '') return false
    const { key, scope, stagelet, type, id, version } = row.secret
    stage([team, project], {
      op: 'delete',
      key,
      scope,
      stagelet,
      type,
      secretId: id,
      fromVersion: version,
    })
    return true
  }
  const onKey = (key: string, row: SecretRow): boolean => {
    if (key === 'e') return edit(row)
    if (key === 'Delete') return remove(row)
    if (key !== 'z' || row.edit === undefined) return false
    takeBack(team, project, row.edit.id)
    return true
  }
  return {
    ...{ editing, edit, remove, onKey },
    close: () => {
      setEditing(undefined)
    },
  }
}

export const Page = () => {
  const place = useProjectPlace()
  const { team, project } = place
  const found = useProject(place)
  const stagelets = useStagelets(place)
  const all = useSecretRows(place)
  const { error } = useSecretsState(place)
  const [query] = useQueryState('q')
  const [opened, setOpened] = useQueryState('secret')
  const { route } = useLocation()
  const noWrite = whyNot('create', 'stagelysecrets', team)
  const { editing, edit, remove, onKey, close } = useActions(place, noWrite)
  const [importing, setImporting] = useState<{ readonly file?: File | undefined } | undefined>()
  const bringIn = (file?: File): void => {
    if (noWrite === undefined) setImporting({ file })
  }
  const open = all.find(
    ({ secret, id }) => opened !== undefined && (secret.name === opened || id === opened),
  )
  const filtered = all.filter(parseFilter(query ?? '').test).length
  useShortcuts([
    { keys: 'n', does: 'New secret', run: () => edit() },
    {
      keys: 'Mod+Enter',
      does: 'Review what is staged',
      run: () => (route(`${projectUrl({ team, name: project })}/review`), true),
    },
  ])
  return (
    <PageFrame
      full
      windowTitle={`${project} secrets`}
      title={project}
      within={
        <>
          {team} · revision {found?.revision ?? '–'}
        </>
      }
      tabs={<ProjectTabs {...{ team, name: project }} current="Secrets" />}
      state={<FilterField count={all.length} shown={filtered} />}
      actions={
        <>
          <Button
            whyNot={noWrite}
            onPress={() => {
              bringIn()
            }}
          >
            Import .env
          </Button>
          <Button look="primary" whyNot={noWrite} onPress={() => edit()}>
            <Plus size={16} /> New secret
          </Button>
        </>
      }
    >
      {error === undefined ? null : (
        <ProblemBox error={error} onRetry={() => void secretsOf(team, project).refresh()} />
      )}
      <div
        class={s['split']}
        onDrop={(event) => {
          event.preventDefault()
          bringIn(event.dataTransfer?.files[0])
        }}
      >
        <div class={s['list']}>
          <List
            {...{ place, all, open, noWrite, onKey }}
            onEdit={edit}
            onOpen={({ secret, id }) => {
              setOpened(secret.name === '' ? id : secret.name, true)
            }}
          />
          <StagingBar place={place} rows={all} />
        </div>
        {open === undefined ? null : (
          <SecretDrawer
            row={open}
            place={place}
            noWrite={noWrite}
            onEdit={() => edit(open)}
            onDelete={() => remove(open)}
            onClose={() => {
              setOpened(undefined)
            }}
          />
        )}
      </div>
      {editing === undefined ? null : (
        <EditDialog {...{ team, project, stagelets }} edited={editing.row} onClose={close} />
      )}
      {importing === undefined ? null : (
        <ImportDialog
          {...{ place, stagelets }}
          rows={all}
          dropped={importing.file}
          onClose={() => {
            setImporting(undefined)
          }}
        />
      )}
    </PageFrame>
  )
}
