// What differs between two sets of secrets, by names.
import type { SetDiff } from '../../../src/rest/types.ts'
import type { ComponentChild } from 'preact'
import s from './history.module.css'

const placeOf = ({ scope, stagelet }: { scope: string; stagelet?: string }): string =>
  stagelet === undefined ? scope : `${scope} of ${stagelet}`

interface LineProps {
  readonly sign: string
  readonly word: string
  readonly secret: { readonly key: string; readonly scope: string; readonly stagelet?: string }
  readonly children?: ComponentChild
}

const Line = ({ sign, word, secret, children }: LineProps) => (
  <li>
    <span class={s['sign']} aria-hidden="true">
      {sign}
    </span>
    <span>
      <code>{secret.key}</code> <span class="muted">{placeOf(secret)}</span>
    </span>
    <span class="muted">
      {word}
      {children}
    </span>
  </li>
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
        </Line>
      ))}
      {added.map((entry) => (
        <Line key={entry.id} sign="+" word="new" secret={entry} />
      ))}
      {removed.map((entry) => (
        <Line key={entry.id} sign="−" word="gone" secret={entry} />
      ))}
    </ul>
  )
}
