// What a person should know of an object: its conditions, with the remedy that the controller names.
import type { ComponentChild } from 'preact'
import type { Condition } from '../../src/rest/types.ts'
import { conditionKind, conditionWords } from '../live/conditions.ts'
import { messageText } from './text/message.ts'
import { Panel } from './page.tsx'
import { State } from './state.tsx'
import { Since } from './time.tsx'
import s from './conditions.module.css'

interface Props {
  readonly of: readonly Condition[]
  /** Other things to know: names and texts. */
  readonly more?: readonly (readonly [name: ComponentChild, text: ComponentChild])[]
}

/** The log lines of a failure are shown with its rollout. */
const textOf = ({ type, message }: Condition): string =>
  messageText(type === 'Degraded' ? (message.split('\n', 1)[0] ?? '') : message)

export const Conditions = ({ of, more = [] }: Props) =>
  of.length + more.length === 0 ? null : (
    <Panel title="Warnings">
      <dl class={s['conditions']}>
        {of.map((one) => (
          <div key={one.type}>
            <dt>
              <State kind={conditionKind(one)}>{conditionWords(one)}</State>
              <span class="muted">
                since <Since at={one.since} />
              </span>
            </dt>
            <dd>{textOf(one)}</dd>
          </div>
        ))}
        {more.map(([name, text], index) => (
          <div key={index}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  )
