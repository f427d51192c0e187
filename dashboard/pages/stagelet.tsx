// One stagelet: what its containers run, what happened last, and what one can do about it.
import { useLocation, useRoute } from 'preact-iso'
import { useEffect } from 'preact/hooks'
import { withQuery } from '../app/team.ts'
import type { Stagelet } from '../../src/rest/types.ts'
import { agents, stagelets } from '../live/collections.ts'
import { inOurTime } from '../live/our-time.ts'
import { stageletState } from '../live/states.ts'
import { LinkButton } from '../ui/button.tsx'
import { agentUrl, projectUrl, stageletUrl } from '../ui/text/links.ts'
import { messageText } from '../ui/text/message.ts'
import { WhenKnown } from '../ui/when-known.tsx'
import { findIn, partOf, someOf } from '../live/known.ts'
import { Empty, PageFrame, Tabs } from '../ui/page.tsx'
import { State } from '../ui/state.tsx'
import { Ago } from '../ui/time.tsx'
import { StageletActions } from './stagelet/actions.tsx'
import { HistoryTab } from './stagelet/history.tsx'
import { LogsTab } from './stagelet/logs.tsx'
import { sentenceOf } from './stagelet/sentence.ts'
import { ServicesTab } from './stagelet/services.tsx'
import { WhyTab } from './stagelet/why.tsx'
import s from './stagelet/stagelet.module.css'

const tabs = {
  services: { text: 'Services', View: ServicesTab },
  logs: { text: 'Logs', View: LogsTab },
  history: { text: 'History', View: HistoryTab },
  why: { text: 'Why', View: WhyTab },
} as const
type Tab = keyof typeof tabs
const isTab = (text: string | undefined): text is Tab => text !== undefined && text in tabs

const glyphs: Readonly<Record<string, string>> = { ok: '●', run: '◐', fail: '▲', drift: '≠' }

const Shown = ({ stagelet }: { readonly stagelet: Stagelet }) => {
  const { query } = useLocation()
  const tab: Tab = isTab(query['tab']) ? query['tab'] : 'services'
  const { View } = tabs[tab]
  const state = stageletState(stagelet)
  const { team, project, name, agent } = stagelet
  return (
    <PageFrame
      windowTitle={`${glyphs[state.kind] ?? '◌'} ${name}`}
      full={tab === 'logs'}
      within={
        <>
          <a href={projectUrl({ team, name: project })}>{project}</a> on{' '}
          <a href={agentUrl({ team, name: agent })}>{agent}</a>:
          <span class="mono">{stagelet.directory}</span>
        </>
      }
      title={name}
      state={
        <span class={s['sentence']}>
          <State kind={state.kind}>{state.word}</State> · {messageText(sentenceOf(stagelet, state))}{' '}
          {state.since === undefined ? null : (
            <span class="muted">
              (<Ago at={state.since} />)
            </span>
          )}
        </span>
      }
      actions={<StageletActions stagelet={stagelet} />}
      tabs={
        <Tabs
          label="Parts of the stagelet"
          items={(Object.keys(tabs) as Tab[]).map((one) => ({
            href: withQuery(stageletUrl(stagelet), { tab: one === 'services' ? undefined : one }),
            text: tabs[one].text,
            current: one === tab,
          }))}
        />
      }
    >
      <View stagelet={stagelet} />
    </PageFrame>
  )
}

export const Page = () => {
  const { params } = useRoute()
  const { route, url } = useLocation()
  const [team, name] = [params['team'] ?? '', params['stagelet'] ?? '']
  const found = findIn(
    stagelets.known.value,
    (one) => one.team === team && (one.name === name || one.id === name),
  )
  const one = partOf(found)
  const [stagelet] = inOurTime(one === undefined ? [] : [one], someOf(agents.known.value))
  const isById = stagelet !== undefined && stagelet.name !== name
  useEffect(() => {
    if (isById) route(stageletUrl(stagelet) + new URL(url, location.href).search, true)
  }, [isById])
  if (stagelet !== undefined) return <Shown stagelet={stagelet} />
  return (
    <PageFrame windowTitle={name} title={name}>
      <WhenKnown
        of={found}
        none={
          <Empty
            title="Not there, or not yours."
            action={<LinkButton href="/ui/">To the overview</LinkButton>}
          >
            The team {team} has no stagelet {name} that you may see.
          </Empty>
        }
      />
    </PageFrame>
  )
}
