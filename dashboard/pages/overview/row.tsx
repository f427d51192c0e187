// One row of a panel of the overview: a state, of what, why, and since when.
import type { ComponentChild } from 'preact'
import { StateText, type StateKind } from '../../ui/state.tsx'
import { messageText } from '../../ui/text/message.ts'
import { Ago } from '../../ui/time.tsx'
import s from '../overview.module.css'

interface Props {
  readonly href: string
  readonly state: { readonly kind: StateKind; readonly word: string }
  readonly name: string
  /** Beside the name, in grey. */
  readonly about: string
  readonly why: string
  readonly more?: ComponentChild
  readonly since: string | undefined
}

/** The first line of why; the page of the object has the rest. */
const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''

export const OverviewRow = ({ href, state, name, about, why, more, since }: Props) => (
  <li>
    <a href={href} class={s['row']}>
      <span class={s['what']}>
        <StateText kind={state.kind}>{state.word}</StateText>
      </span>
      <span class={s['where']}>
        <b>{name}</b>
        <span class="muted"> {about}</span>
      </span>
      <span class={s['why']}>
        {messageText(firstLine(why))}
        {more}
      </span>
      <span class={`${s['when']} muted`}>
        <Ago at={since} />
      </span>
    </a>
  </li>
)
