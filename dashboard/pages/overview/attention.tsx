// What needs somebody: for each object one row, which leads to it.
import type { Stagelet } from '../../../src/generated/rest-types.ts'
import type { Attention, Needing } from './needing.ts'
import { conditionKind, conditionWords } from '../../live/conditions.ts'
import { stageletState } from '../../live/states.ts'
import { Panel } from '../../ui/page.tsx'
import type { StateKind } from '../../ui/state.tsx'
import { accessUrl, agentUrl, projectUrl, rotationsUrl, stageletUrl } from '../../ui/text/links.ts'
import { OverviewRow } from './row.tsx'
import s from '../overview.module.css'

export const urlOf = ({ kind, team, name, project = '' }: Attention): string => {
  const ofProject = { team, name: project }
  switch (kind) {
    case 'Stagelet':
      return stageletUrl({ team, name })
    case 'Agent':
      return agentUrl({ team, name })
    case 'Project':
      return projectUrl({ team, name })
    case 'StagelySecret':
      return `${projectUrl(ofProject)}?${new URLSearchParams({ secret: name }).toString()}`
    case 'Rotation':
      return rotationsUrl(ofProject)
    case 'AccessRequest':
      return accessUrl({ team, name })
    case 'SecretStore':
      return '/ui/stores'
    case 'Notifier':
      return '/ui/notifiers'
    default:
      return '/ui/access'
  }
}

/** A stagelet has one word everywhere; of others the condition says what it is. */
const wordOf = (
  row: Attention,
  stagelet: Stagelet | undefined,
): { readonly kind: StateKind; readonly word: string } => {
  if (stagelet !== undefined) {
    const state = stageletState(stagelet)
    if (state.weight > 0) return state
  }
  if (row.status === 'Unknown') return { kind: 'unknown', word: 'Unknown' }
  const type = row.condition
  return { kind: conditionKind({ type }), word: conditionWords({ type }) }
}

interface Props {
  readonly all: readonly Needing[]
  readonly stagelets: readonly Stagelet[]
}

const most = 50

export const AttentionPanel = ({ all, stagelets }: Props) => {
  const byUrl = new Map(stagelets.map((stagelet) => [stageletUrl(stagelet), stagelet]))
  return (
    <Panel flush title={`${all.length} ${all.length === 1 ? 'thing needs' : 'things need'} you`}>
      <ul class={s['rows']}>
        {all.slice(0, most).map(({ key, row, more }) => (
          <OverviewRow
            key={key}
            href={urlOf(row)}
            state={wordOf(row, byUrl.get(urlOf(row)))}
            name={row.project === undefined ? row.name : `${row.project}/${row.name}`}
            about={words[row.kind] ?? row.kind}
            why={row.message}
            more={more > 0 ? <span class="muted"> (and {more} more)</span> : null}
            since={row.since}
          />
        ))}
      </ul>
      {all.length > most ? <p class={s['more']}>and {all.length - most} more</p> : null}
    </Panel>
  )
}

const words: Readonly<Record<string, string>> = {
  Stagelet: 'stack',
  Agent: 'agent',
  Project: 'project',
  StagelySecret: 'secret',
  Rotation: 'rotation',
  SecretStore: 'store',
  Notifier: 'notifier',
  AccessPolicy: 'access policy',
  AccessRequest: 'request',
  Namespace: 'team',
}
