// What a person should know of an object: its conditions, with the remedy that the controller names.
import type { ComponentChild } from 'preact'
import type { Condition } from '../../src/generated/rest-types.ts'
import { conditionKind, conditionWords } from '../live/conditions.ts'
import { messageText } from './text/message.ts'
import { Panel } from './page.tsx'
import { StateText } from './state.tsx'
import { Since } from './time.tsx'
import s from './conditions.module.css'

interface Props {
  readonly conditions: readonly Condition[]
  /** Other things to know: names and texts. */
  readonly more?: readonly (readonly [name: ComponentChild, text: ComponentChild])[]
}

/** The log lines of a failure are shown with its rollout. */
const textOf = ({ type, message }: Condition): string =>
  messageText(type === 'Degraded' ? (message.split('\n', 1)[0] ?? '') : message)

export const Conditions = ({ conditions, more = [] }: Props) =>
  conditions.length + more.length === 0 ? null : (
    <Panel title="Warnings">
      <dl class={s['conditions']}>
        {conditions.map((condition) => (
          <div key={condition.type}>
            <dt>
              <StateText kind={conditionKind(condition)}>{conditionWords(condition)}</StateText>
              <span class="muted">
                since <Since at={condition.since} />
              </span>
            </dt>
            <dd>{textOf(condition)}</dd>
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
