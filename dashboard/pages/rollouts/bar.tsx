// How far a rollout is: a bar, with the same in words beside it.
import type { Rollout } from '../../../src/generated/rest-types.ts'
import { countsText } from './rollout-words.ts'
import s from './rollouts.module.css'

const parts = ['failed', 'healthy', 'progressing', 'waiting', 'held', 'unknown'] as const

export const RolloutBar = ({ rollout }: { readonly rollout: Rollout }) => (
  <div class={s['progress']}>
    <div class={s['bar']} aria-hidden="true">
      {parts.map((part) =>
        (rollout[part] ?? 0) === 0 ? null : (
          <i key={part} class={s[part]} style={{ flexGrow: String(rollout[part]) }} />
        ),
      )}
    </div>
    <span class="num">{countsText(rollout)}</span>
  </div>
)
