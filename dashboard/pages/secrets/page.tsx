// The secrets of a project: which keys exist, who sees them, what runs, since when, and what is staged. Three lenses
// show the same secrets. This is where one edits; nothing is stored before the review.
import { useLocation } from 'preact-iso'
import { useMemo, useState } from 'preact/hooks'
import { useShortcuts } from '../../session/keys.ts'
import { whyNot } from '../../session/session.ts'
import { useQueryState } from '../../session/team.ts'
import type { Project } from '../../../src/generated/rest-types.ts'
import { partOf } from '../../live/known.ts'
import { Button, LinkButton } from '../../ui/button.tsx'
import { projectUrl } from '../../ui/text/links.ts'
import { ProjectTabs } from '../../ui/tabs.tsx'
import { notFoundTitle } from '../../ui/detail.tsx'
import { Empty, PageFrame, Skeleton } from '../../ui/page.tsx'
import { WhenKnown } from '../../ui/when-known.tsx'
import Plus from 'icon:plus'
import { useClasses, type ClassOf } from './classes.ts'
import {
  useProjectFound,
  useProjectPlace,
  useProjectSecrets,
  useSecretsRead,
  type ProjectPlace,
  type ProjectSecrets,
  type SecretRow,
} from '../project/data.ts'
import { SecretDrawer } from './drawer.tsx'
import { EditDialog } from './edit/edit.tsx'
import { FilterField } from './filter/filter-field.tsx'
import { valuesIn } from './filter/filter-suggest.ts'
import { parseFilter, type Filterable } from './filter/filter.ts'
import { ImportDialog, type ImportSource } from './import/import.tsx'
import { useAcross, useLens } from './places/lens.ts'
import { LensGrid, type SecretActions } from './places/lens-grid.tsx'
import { List } from './list.tsx'
import { PastBar, useAt } from './past.tsx'
import { StagingBar } from './staging-bar.tsx'
import { ThenList } from './then-list.tsx'
import { thenRows, type ThenRow } from './then-rows.ts'
import { LensChoice } from './toolbar.tsx'
import { useActions } from './use-actions.ts'
import { useDropped } from './use-dropped.ts'
import l from './places/lenses.module.css'
import s from './page.module.css'

/** Rows that the filter lets through. */
const useFiltered = <T extends Filterable>(rows: readonly T[], classOf: ClassOf): readonly T[] => {
  const [query = ''] = useQueryState('q')
  return useMemo(() => {
    if (query.trim() === '') return rows
    const { test } = parseFilter(query)
    const around = { isShared: (id: string) => (classOf(id)?.same.length ?? 0) > 0 }
    return rows.filter((row) => test(row, around))
  }, [rows, query, classOf])
}

type Environment = NonNullable<Project['environments']>[number]
const noEnvironments: readonly Environment[] = []

interface ShownProps {
  readonly place: ProjectPlace
  readonly all: ProjectSecrets
  readonly rows: readonly SecretRow[]
  /** Rows of an earlier revision. */
  readonly past: readonly ThenRow[]
  readonly open: SecretRow | undefined
  readonly classOf: ClassOf
  readonly actions: SecretActions
  readonly noWrite: string | undefined
  readonly stagelet: string | undefined
  /** Those of the project, where they are columns. */
  readonly environments: readonly Environment[]
  readonly onOpen: (row: SecretRow) => void
}

const Gone = () => (
  <Empty
    title={notFoundTitle}
    action={<LinkButton href="/ui/projects">Back to projects</LinkButton>}
  />
)

const Shown = ({ isReady, ...props }: ShownProps & { readonly isReady: boolean }) => {
  const { place, all, noWrite, actions } = props
  const found = useProjectFound(place)
  const isGone = found.state === 'known' && found.value === undefined
  const lens = useLens()
  const at = useAt()
  if (at !== undefined && all.then === undefined)
    return all.thenFailure === undefined ? <Skeleton rows={8} /> : null
  if (at !== undefined && lens === 'list')
    return <ThenList place={place} rows={props.past} revision={at} />
  if (all.rows.length === 0 && isGone) return <Gone />
  if (all.rows.length === 0 && lens !== 'stagelet')
    return isReady ? (
      <Empty
        title="No secrets yet"
        action={
          <Button variant="primary" whyNot={noWrite} onPress={() => actions.edit()}>
            New secret
          </Button>
        }
      >
        Add the first one here, or import a file:{' '}
        <code>stagely secrets import --project {place.project} .env</code>
      </Empty>
    ) : (
      <Skeleton rows={8} />
    )
  return lens === 'list' ? (
    <List {...props} isReady={isReady} />
  ) : (
    <LensGrid
      {...props}
      isReady={isReady}
      isPast={at !== undefined}
      rows={at === undefined ? props.rows : props.past}
      stagelet={lens === 'stagelet' ? (props.stagelet ?? '') : undefined}
    />
  )
}

interface ActionsProps {
  readonly place: ProjectPlace
  readonly noWrite: string | undefined
  /** undefined: an earlier revision is shown, or there is none. */
  readonly newest: number | undefined
  readonly onImport: () => void
  readonly onNew: () => void
}

const PageActions = ({ place, noWrite, newest = 0, onImport, onNew }: ActionsProps) => {
  const [, setAt] = useQueryState('at')
  const project = `${place.team}/${place.project}`
  return (
    <>
      {newest === 0 ? null : (
        <Button variant="quiet" onPress={() => setAt(String(newest), true)}>
          Time machine
        </Button>
      )}
      <Button command={`import:${project}`} whyNot={noWrite} onPress={onImport}>
        Import
      </Button>
      <Button command={`new-secret:${project}`} variant="primary" whyNot={noWrite} onPress={onNew}>
        <Plus size={16} /> New secret
      </Button>
    </>
  )
}

/** Environments that are the columns of the lens across; `across` is undefined where there is no choice. */
const useColumnsAcross = (project: Project | undefined) => {
  const listed = project?.environments ?? noEnvironments
  const across = useAcross()
  return listed.length === 0
    ? { environments: noEnvironments, across: undefined }
    : { environments: across === 'environment' ? listed : noEnvironments, across }
}

/** A stagelet of the project: the one of the address, else the first. */
const useStagelet = (names: readonly string[]): string | undefined => {
  const [asked] = useQueryState('of')
  return asked !== undefined && names.includes(asked) ? asked : names[0]
}

export const Page = () => {
  const place = useProjectPlace()
  const { team, project } = place
  const found = partOf(useProjectFound(place))
  const at = useAt()
  const all = useProjectSecrets(place, at)
  const read = useSecretsRead(place)
  const classOf = useClasses(place, all.secrets, { ...all, isReady: read.state === 'known' })
  const rows = useFiltered(all.rows, classOf)
  const allPast = useMemo(() => thenRows(all, place), [all.then, all.matrix, all.secrets])
  const past = useFiltered(allPast, classOf)
  const { environments, across } = useColumnsAcross(found)
  const [opened, setOpened] = useQueryState('secret')
  const { route } = useLocation()
  const noWrite =
    whyNot('create', 'stagelysecrets', team) ??
    (at === undefined ? undefined : `This is revision ${at}. Go to the current one to edit.`)
  const { editing, actions, close } = useActions(place, noWrite)
  const [importing, setImporting] = useState<ImportSource | undefined>()
  const bringIn = (given: ImportSource): void => {
    if (noWrite === undefined) setImporting(given)
  }
  useDropped(bringIn)
  const names = all.stagelets.map(({ name }) => name)
  const stagelet = useStagelet(names)
  const open =
    opened === undefined
      ? undefined
      : all.rows.find(({ secret, id }) => secret.name === opened || id === opened)
  useShortcuts([
    { keys: 'n', does: 'New secret', run: () => actions.edit() },
    {
      keys: 'Mod+Enter',
      does: 'Review staged edits',
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
      tabs={<ProjectTabs team={team} name={project} current="Secrets" />}
      state={
        <div class={l['lenses']}>
          <LensChoice stagelets={names} stagelet={stagelet} across={across} />
          <FilterField
            count={(at === undefined ? all.rows : allPast).length}
            shown={(at === undefined ? rows : past).length}
            valuesOf={valuesIn(all.rows, all.stagelets)}
          />
        </div>
      }
      actions={
        <PageActions
          place={place}
          noWrite={noWrite}
          newest={at === undefined ? found?.revision : undefined}
          onImport={() => bringIn({})}
          onNew={() => actions.edit()}
        />
      }
    >
      {at === undefined ? null : (
        <PastBar place={place} at={at} newest={found?.revision} failure={all.thenFailure} />
      )}
      <div class={s['split']}>
        <div class={s['list']}>
          <WhenKnown value={read} rows={8}>
            {(_, isReady) => (
              <Shown
                place={place}
                all={all}
                rows={rows}
                past={past}
                open={open}
                classOf={classOf}
                actions={actions}
                noWrite={noWrite}
                stagelet={stagelet}
                environments={environments}
                isReady={isReady}
                onOpen={({ secret, id }) => setOpened(secret.name === '' ? id : secret.name, true)}
              />
            )}
          </WhenKnown>
          <StagingBar place={place} all={all} />
        </div>
        {open === undefined || at !== undefined ? null : (
          <SecretDrawer
            row={open}
            place={place}
            all={all}
            noWrite={noWrite}
            classOf={classOf}
            onEdit={() => actions.edit(open)}
            onDelete={() => actions.remove(open)}
            onClose={() => setOpened(undefined)}
          />
        )}
      </div>
      {editing === undefined ? null : (
        <EditDialog place={place} all={all} {...editing} edited={editing.row} onClose={close} />
      )}
      {importing === undefined ? null : (
        <ImportDialog
          place={place}
          all={all}
          given={importing}
          onClose={() => setImporting(undefined)}
        />
      )}
    </PageFrame>
  )
}
