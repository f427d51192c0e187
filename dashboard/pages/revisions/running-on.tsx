// The stagelets that run a revision.
import { stagelets } from '../../live/collections.ts'
import { mapKnown } from '../../live/known.ts'
import { StateText } from '../../ui/state.tsx'
import { stageletUrl } from '../../ui/text/links.ts'
import { InlineKnown } from '../../ui/when-known.tsx'
import type { ProjectPlace } from '../project/data.ts'
import { runningOf } from './data.ts'
import s from './revisions.module.css'

interface Props {
  readonly place: ProjectPlace
  readonly revision: number
  readonly newest: number | undefined
}

export const RunningOn = ({ place: { team, project: name }, revision, newest }: Props) => (
  <InlineKnown
    value={mapKnown(stagelets.list.value, (all) => runningOf({ team, name }, all, revision))}
  >
    {(found) =>
      found.length === 0 ? (
        <span class="muted">–</span>
      ) : (
        <span class={s['states']}>
          {found.map((stagelet) => (
            <StateText
              key={stagelet.id}
              kind={revision === newest ? 'ok' : 'wait'}
              title={`${stagelet.name} runs revision ${revision}`}
            >
              <a href={stageletUrl(stagelet)}>{stagelet.name}</a>
            </StateText>
          ))}
        </span>
      )
    }
  </InlineKnown>
)
