// What happened in last 90 days, in words, by day.
import { useLocation } from 'preact-iso'
import type { Happened } from '../../src/generated/rest-types.ts'
import { useTeam, withQuery } from '../session/team.ts'
import { now } from '../api/clock.ts'
import { projects, stagelets } from '../live/collections.ts'
import { mapKnown, partOf, someOf, together } from '../live/known.ts'
import { Button } from '../ui/button.tsx'
import { choosable, Choice, FilterBar } from '../ui/fields/filter-bar.tsx'
import { Empty, PageFrame, Panel } from '../ui/page.tsx'
import { WhenKnown } from '../ui/when-known.tsx'
import { ActivityFeed } from './activity/feed.tsx'
import { useActivity, useNewest, type ActivityQuery } from './activity/use-activity.ts'
import { byDay, countNew, isKind, kindNames } from './activity/words.ts'
import s from './activity/activity.module.css'

const useFilter = (): ActivityQuery => {
  const team = useTeam()
  const { project, stagelet, kind } = useLocation().query
  const words = Object.entries({ team, project, stagelet }).filter(([, word]) => word)
  return { ...Object.fromEntries(words), ...(isKind(kind) && { kind }) }
}

const Filters = ({ filter }: { readonly filter: ActivityQuery }) => {
  const { url, route } = useLocation()
  const { team, project, stagelet, kind } = filter
  const set = (change: Readonly<Record<string, string | undefined>>): void =>
    route(withQuery(url, change), true)
  const inTeam = (object: { readonly team: string }): boolean =>
    team === undefined || object.team === team
  const own = someOf(stagelets.list.value).filter(
    (stagelet) => inTeam(stagelet) && (project === undefined || stagelet.project === project),
  )
  return (
    <FilterBar label="Activity">
      <Choice
        label="Kind"
        value={kind}
        none="all"
        options={Object.entries(kindNames)}
        onChoose={(value) => set({ kind: value })}
      />
      <Choice
        label="Project"
        value={project}
        none="all"
        options={choosable(someOf(projects.list.value).filter(inTeam), project)}
        onChoose={(value) => set({ project: value, stagelet: undefined })}
      />
      <Choice
        label="Stagelet"
        value={stagelet}
        none="all"
        options={choosable(own, stagelet)}
        onChoose={(value) => set({ stagelet: value })}
      />
    </FilterBar>
  )
}

const dayText = new Intl.DateTimeFormat('en-GB', {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
})

const nameOfDay = (day: Date): string => {
  const today = new Date(now())
  const yesterday = new Date(now())
  yesterday.setDate(today.getDate() - 1)
  if (day.toDateString() === today.toDateString()) return 'Today'
  return day.toDateString() === yesterday.toDateString() ? 'Yesterday' : dayText.format(day)
}

const mostNew = 50

const Nothing = ({ isFiltered }: { readonly isFiltered: boolean }) => (
  <Panel>
    <Empty title={isFiltered ? 'No matching activity' : 'No activity yet'}>
      Changes of secrets, rollouts, drift, agents and pauses are listed here.
    </Empty>
  </Panel>
)

const Days = ({ rows }: { readonly rows: readonly Happened[] }) => (
  <>
    {byDay(rows).map(({ day, rows: own }) => (
      <Panel
        key={day.getTime()}
        flush
        title={nameOfDay(day)}
        aside={<span class="muted num">{own.length}</span>}
      >
        <ActivityFeed rows={own} label={`Activity of ${nameOfDay(day)}`} />
      </Panel>
    ))}
  </>
)

export const Page = () => {
  const filter = useFilter()
  const { rows, isReading, isWhole, more, reload } = useActivity(filter)
  const newest = useNewest(filter, { limit: mostNew, seconds: 2 })
  const fresh = partOf(mapKnown(together(rows, newest), (both) => countNew(...both))) ?? 0
  const isFiltered = Object.keys(filter).length > 0
  return (
    <PageFrame
      windowTitle={fresh > 0 ? `${fresh} new · Activity` : 'Activity'}
      title="Activity"
      state={<span class="muted">last 90 days</span>}
      actions={
        fresh > 0 ? (
          <Button onPress={reload}>{fresh >= mostNew ? `${mostNew} or more` : fresh} new</Button>
        ) : (
          <Button variant="quiet" busy={isReading} onPress={reload}>
            Refresh
          </Button>
        )
      }
    >
      <Filters filter={filter} />
      <WhenKnown value={rows} none={<Nothing isFiltered={isFiltered} />}>
        {(all) => <Days rows={all} />}
      </WhenKnown>
      {isWhole ? null : (
        <div class={s['more']}>
          <Button busy={isReading} onPress={more}>
            Show older
          </Button>
        </div>
      )}
    </PageFrame>
  )
}
