// What differs between two sets of secrets, by names, and of values only plain ones.
import type { SetDiff } from '../../../src/generated/rest-types.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import { useDiff } from './data.ts'
import { PlainChange, PlainValue } from '../../ui/plain-value.tsx'
import { placeName } from '../../ui/text/place-name.ts'
import s from './revisions.module.css'

const Given = ({ text }: { readonly text: string | undefined }) =>
  text === undefined ? null : (
    <>
      {', '}
      <PlainValue text={text} />
    </>
  )

const wordsOf = ({ what, from_version: from, to_version: to }: SetDiff['changed'][number]) => {
  const words = what.map((part) => (part === 'value' ? 'other value' : `other ${part}`))
  return `${words.join(', ')}, v${from} → v${to}`
}

const linesOf = ({ added, removed, changed }: SetDiff) => [
  ...changed.map((secret) => ({
    secret,
    sign: '~',
    word: wordsOf(secret),
    value: <PlainChange from={secret.from_value} to={secret.value} />,
  })),
  ...added.map((secret) => ({
    secret,
    sign: '+',
    word: 'new',
    value: <Given text={secret.value} />,
  })),
  ...removed.map((secret) => ({
    secret,
    sign: '−',
    word: 'gone',
    value: <Given text={secret.from_value} />,
  })),
]

export const ChangeList = ({ diff }: { readonly diff: SetDiff }) => {
  const lines = linesOf(diff)
  if (lines.length === 0) return <p class="muted">No differences.</p>
  return (
    <ul class={s['changes']}>
      {lines.map(({ secret, sign, word, value }) => (
        <li key={secret.id}>
          <span class={s['sign']} aria-hidden="true">
            {sign}
          </span>
          <span>
            <code>{secret.key}</code> <span class="muted">{placeName(secret)}</span>
          </span>
          <span class="muted">
            {word}
            {value}
          </span>
        </li>
      ))}
    </ul>
  )
}

interface DiffProps {
  /** `TEAM/NAME`. */
  readonly project: string
  readonly from: number
  readonly to: number | 'head'
  readonly newest: number | undefined
}

export const Changes = ({ project, ...range }: DiffProps) => (
  <WhenKnown value={useDiff(project, range)} rows={3}>
    {(found) => <ChangeList diff={found} />}
  </WhenKnown>
)
