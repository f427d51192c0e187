// One stagelet: what its containers run, what happened last, and what one can do about it.
import { useLocation, useRoute } from 'preact-iso'
import { useEffect } from 'preact/hooks'
import { withQuery } from '../session/team.ts'
import type { Stagelet } from '../../src/generated/rest-types.ts'
import { agents, stagelets } from '../live/collections.ts'
import { withoutSkew } from '../live/clock-skew.ts'
import { stageletState } from '../live/states.ts'
import { agentUrl, projectUrl, stageletUrl } from '../ui/text/links.ts'
import { messageText } from '../ui/text/message.ts'
import { mapKnown, partOf, someOf } from '../live/known.ts'
import { DetailPage, findByName } from '../ui/detail.tsx'
import { PageFrame, Tabs } from '../ui/page.tsx'
import { StateText } from '../ui/state.tsx'
import { Ago, Until } from '../ui/time.tsx'
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

const StageletPage = ({ stagelet }: { readonly stagelet: Stagelet }) => {
  const { query } = useLocation()
  const tab: Tab = isTab(query['tab']) ? query['tab'] : 'services'
  const { View } = tabs[tab]
  const state = stageletState(stagelet)
  const { team, project, name, agent, environment } = stagelet
  return (
    <PageFrame
      windowTitle={`${glyphs[state.kind] ?? '◌'} ${name}`}
      full={tab === 'logs'}
      within={
        <>
          <a href={projectUrl({ team, name: project })}>{project}</a>
          {environment === undefined ? '' : `, ${environment},`} on{' '}
          <a href={agentUrl({ team, name: agent })}>{agent}</a>:
          <span class="mono">{stagelet.directory}</span>
          {stagelet.preview === undefined ? null : (
            <>
              ; preview {stagelet.preview}
              {(stagelet.addresses ?? []).map((address) => (
                <span key={address}>
                  {' '}
                  at <a href={address}>{address}</a>
                </span>
              ))}
            </>
          )}
          {stagelet.ends_at === undefined ? null : (
            <>
              ; ends <Until at={stagelet.ends_at} />
            </>
          )}
        </>
      }
      title={name}
      state={
        <span class={s['sentence']}>
          <StateText kind={state.kind}>{state.word}</StateText> ·{' '}
          {messageText(sentenceOf(stagelet, state))}{' '}
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
          items={(Object.keys(tabs) as Tab[]).map((name) => ({
            href: withQuery(stageletUrl(stagelet), { tab: name === 'services' ? undefined : name }),
            text: tabs[name].text,
            current: name === tab,
          }))}
        />
      }
    >
      <View stagelet={stagelet} />
    </PageFrame>
  )
}

export const Page = () => {
  const { team = '', stagelet: name = '' } = useRoute().params
  const { route, url } = useLocation()
  const found = mapKnown(findByName(stagelets.list.value, { team, name }), (stagelet) =>
    stagelet === undefined ? undefined : withoutSkew([stagelet], someOf(agents.list.value))[0],
  )
  const stagelet = partOf(found)
  const isById = stagelet !== undefined && stagelet.name !== name
  useEffect(() => {
    if (isById) route(stageletUrl(stagelet) + new URL(url, location.href).search, true)
  }, [isById])
  return (
    <DetailPage value={found} name={name} back={{ href: '/ui/', text: 'Back to overview' }}>
      {(shown) => <StageletPage stagelet={shown} />}
    </DetailPage>
  )
}
