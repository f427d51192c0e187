// A state: glyph and word, always both. Colour is the third carrier only. While the page is not live, all glyphs
// are hollow: what they say is as of then.
import type { ComponentChild } from 'preact'
import type { StateKind } from '../live/state-kind.ts'
import s from './state.module.css'

export type { StateKind } from '../live/state-kind.ts'

const shapes: Readonly<Record<StateKind, ComponentChild>> = {
  ok: <circle class={s['body']} cx="8" cy="8" r="5.2" />,
  run: (
    <>
      <circle cx="8" cy="8" r="5.2" />
      <path class={s['body']} d="M8 2.800a5.200 5.200 0 0 0 0 10.400z" />
    </>
  ),
  drift: <path d="M3 6h10M3 10h10M10.500 3l-5 10" />,
  warn: <path d="M8 2.800v6.400M8 12.600v.2" />,
  fail: <path class={s['body']} d="M8 2.600 14 13H2z" />,
  wait: (
    <>
      <circle cx="8" cy="8" r="5.2" />
      <path class={s['body']} d="M8 8V2.800A5.200 5.200 0 0 0 2.800 8z" />
    </>
  ),
  paused: <path d="M5.500 3.500v9M10.500 3.500v9" />,
  unknown: <circle class={s['dashed']} cx="8" cy="8" r="5.2" />,
  staged: <path class={s['body']} d="M8 2.400 13.600 8 8 13.600 2.400 8z" />,
}

export const Glyph = ({ kind }: { readonly kind: StateKind }) => (
  <svg
    class={`${s['glyph']} ${s[kind]}`}
    viewBox="0 0 16 16"
    width="14"
    height="14"
    aria-hidden="true"
  >
    {shapes[kind]}
  </svg>
)

interface Props {
  readonly kind: StateKind
  readonly children: ComponentChild
  readonly title?: string | undefined
}

export const StateText = ({ kind, children, title }: Props) => (
  <span class={`${s['state']} ${s[kind]}`} title={title}>
    <Glyph kind={kind} />
    <span>{children}</span>
  </span>
)

/** A number of things in one state: `● 11`, with the word for screen readers. */
export const Count = ({
  kind,
  count,
  word,
}: {
  readonly kind: StateKind
  readonly count: number
  readonly word: string
}) => (
  <span class={`${s['state']} ${s[kind]}`} title={`${count} ${word}`}>
    <Glyph kind={kind} />
    <span>
      {count}
      <span class="visually-hidden"> {word}</span>
    </span>
  </span>
)
