// A value that is no secret, as pages show it: visible, and on one line where there is no room for more.
import { visibleText } from './text/visible-text.ts'
import s from './plain-value.module.css'

/** Characters of a value on one line; the whole value is on the page of its secret. */
const mostShown = 120

const shortText = (text: string): string => {
  const line = visibleText(text.replaceAll('\n', '⏎'))
  return line.length <= mostShown ? line : `${line.slice(0, mostShown)}…`
}

export const PlainValue = ({ text }: { readonly text: string }) =>
  text === '' ? <span class="muted">empty</span> : <code class={s['value']}>{shortText(text)}</code>

/** undefined: it is masked. */
type Shown = string | undefined

const Side = ({ text }: { readonly text: Shown }) =>
  text === undefined ? <span class="muted">masked</span> : <PlainValue text={text} />

/** What a value was, and what it is then. */
export const PlainChange = ({ from, to }: { readonly from: Shown; readonly to: Shown }) =>
  from === undefined && to === undefined ? null : (
    <span class={s['change']}>
      <Side text={from} />
      <span class="visually-hidden">becomes</span>
      <span aria-hidden="true">→</span>
      <Side text={to} />
    </span>
  )
