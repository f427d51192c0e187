// Which secrets the containers have printed, as their agent counts it on its machine: no line comes here.
import { useState } from 'preact/hooks'
import { whyNot } from '../../session/session.ts'
import type { Printed, Stagelet } from '../../../src/generated/rest-types.ts'
import { countPrinted } from '../../actions/stagelets.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { Panel } from '../../ui/page.tsx'
import { StateText } from '../../ui/state.tsx'
import { Ago } from '../../ui/time.tsx'
import { badgeOf, findingsOf } from './printed-words.ts'
import s from './stagelet.module.css'

export const PrintedPanel = ({ stagelet }: { readonly stagelet: Stagelet }) => {
  const [printed, setPrinted] = useState<Printed>()
  const badge = printed && badgeOf(printed)
  return (
    <Panel
      title="Leak test"
      aside={
        <ActionButton
          small
          command={`leak-test:${stagelet.id}`}
          whyNot={whyNot('get', 'stagelets/logs', stagelet.team)}
          action={countPrinted(stagelet)}
          onDone={setPrinted}
        >
          Leak test
        </ActionButton>
      }
    >
      {printed === undefined || badge === undefined ? (
        <p class="muted">
          The agent counts on its machine how often the containers have printed each secret. No line
          leaves it.
        </p>
      ) : (
        <>
          <p role="status">
            <StateText kind={badge.kind}>{badge.text}</StateText>{' '}
            <span class="muted">
              <Ago at={printed.counted_at} />
            </span>
          </p>
          <ul class={s['findings']}>
            {findingsOf(printed).map(({ kind, text }) => (
              <li key={text}>
                <StateText kind={kind}>{text}</StateText>
              </li>
            ))}
          </ul>
        </>
      )}
    </Panel>
  )
}
