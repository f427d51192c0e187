// What differs between two sets of secrets, by names, and which containers a change reaches.
import type { SetDiff } from '../../../src/rest/types.ts'
import type { ComponentChild } from 'preact'
import { State } from '../../ui/state.tsx'
import { messageText } from '../../ui/text/message.ts'
import type { RollbackImpact } from './data.ts'
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
  what.map((one) => (one === 'value' ? 'other value' : `other ${one}`)).join(', ')

export const ChangeList = ({ diff }: { readonly diff: SetDiff }) => {
  const { added, removed, changed } = diff
  if (added.length + removed.length + changed.length === 0)
    return <p class="muted">No differences.</p>
  return (
    <ul class={s['changes']}>
      {changed.map((one) => (
        <Line key={one.id} sign="~" word={words(one.what)} secret={one}>
          {`, v${one.from_version} → v${one.to_version}`}
        </Line>
      ))}
      {added.map((one) => (
        <Line key={one.id} sign="+" word="new" secret={one} />
      ))}
      {removed.map((one) => (
        <Line key={one.id} sign="−" word="gone" secret={one} />
      ))}
    </ul>
  )
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

/** `re-creates 3 containers`: the consequence, for a sentence or a button. */
export const consequence = ({ affected, cascaded }: RollbackImpact): string => {
  const count = affected.length + cascaded.length
  return count === 0 ? 're-creates no container' : `re-creates ${plural(count, 'container')}`
}

export const ImpactSummary = ({ impact }: { readonly impact: RollbackImpact }) => {
  const { affected, cascaded, held, untouched } = impact
  return (
    <div class={s['radius']}>
      <p>
        <b>It {consequence(impact)}</b>
        <span class="muted">
          {' '}
          · {plural(untouched, 'other container')} not touched
          {held.length === 0 ? '' : ` · ${plural(held.length, 'stagelet')} held`}
        </span>
      </p>
      <ul class={s['changes']}>
        {affected.map(({ stagelet, service, keys, reason }) => (
          <li>
            <State kind="run">re-created</State>
            <b>
              {stagelet}/{service}
            </b>
            <span class="muted">
              {keys.length === 0 ? reason : `${keys.join(', ')}: ${reason}`}
            </span>
          </li>
        ))}
        {cascaded.map(({ stagelet, service, with: others }) => (
          <li>
            <State kind="run">re-created with another</State>
            <b>
              {stagelet}/{service}
            </b>
            <span class="muted">shares with {others.join(', ')}</span>
          </li>
        ))}
        {held.map(({ stagelet, message, services }) => (
          <li>
            <State kind="paused">held</State>
            <b>{stagelet}</b>
            <span class="muted">
              {messageText(message)}
              {services.length === 0
                ? ''
                : ` · ${plural(services.length, 'container')} once the hold ends`}
            </span>
          </li>
        ))}
      </ul>
    </div>
  )
}
