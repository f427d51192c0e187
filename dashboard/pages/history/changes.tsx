// What differs between two sets of secrets, by names, and of values only plain ones.
import type { SetDiff } from '../../../src/generated/rest-types.ts'
import type { ComponentChild } from 'preact'
import { PlainChange, PlainValue } from '../../ui/plain-value.tsx'
import { placeName } from '../../ui/text/place-name.ts'
import s from './history.module.css'

interface LineProps {
  readonly sign: string
  readonly word: string
  readonly secret: Parameters<typeof placeName>[0] & { readonly key: string }
  readonly children?: ComponentChild
}

const Line = ({ sign, word, secret, children }: LineProps) => (
  <li>
    <span class={s['sign']} aria-hidden="true">
      {sign}
    </span>
    <span>
      <code>{secret.key}</code> <span class="muted">{placeName(secret)}</span>
    </span>
    <span class="muted">
      {word}
      {children}
    </span>
  </li>
)

const Given = ({ text }: { readonly text: string | undefined }) =>
  text === undefined ? null : (
    <>
      {', '}
      <PlainValue text={text} />
    </>
  )

const words = (what: readonly string[]): string =>
  what.map((part) => (part === 'value' ? 'other value' : `other ${part}`)).join(', ')

export const ChangeList = ({ diff }: { readonly diff: SetDiff }) => {
  const { added, removed, changed } = diff
  if (added.length + removed.length + changed.length === 0)
    return <p class="muted">No differences.</p>
  return (
    <ul class={s['changes']}>
      {changed.map((change) => (
        <Line key={change.id} sign="~" word={words(change.what)} secret={change}>
          {`, v${change.from_version} → v${change.to_version}`}
          <PlainChange from={change.from_value} to={change.value} />
        </Line>
      ))}
      {added.map((entry) => (
        <Line key={entry.id} sign="+" word="new" secret={entry}>
          <Given text={entry.value} />
        </Line>
      ))}
      {removed.map((entry) => (
        <Line key={entry.id} sign="−" word="gone" secret={entry}>
          <Given text={entry.from_value} />
        </Line>
      ))}
    </ul>
  )
}
