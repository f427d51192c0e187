// The fields of the settings. A length of time is text: 90d, 12h.
import type { ComponentChild } from 'preact'
import type { Fields } from './fields.ts'
import f from '../../ui/form.module.css'
import s from './settings.module.css'

interface Props {
  readonly fields: Fields
  readonly whyNot: string | undefined
  readonly change: (part: Partial<Fields>) => void
  readonly onSubmit: () => void
}

type TextName = 'keyEvery' | 'description' | 'atOnce' | 'deadline' | 'maxAge' | 'exempt'

export const SettingsForm = ({ fields, whyNot, change, onSubmit }: Props) => {
  const text = (name: TextName, label: string, help: ComponentChild, placeholder = '') => (
    <label>
      <span>{label}</span>
      <input
        value={fields[name]}
        placeholder={placeholder}
        disabled={whyNot !== undefined}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => change({ [name]: event.currentTarget.value })}
      />
      <p class={f['help']}>{help}</p>
    </label>
  )
  const box = (name: 'isPaused' | 'refuses' | 'keyEnforced', label: string, help: string) => (
    <div>
      <label class={s['box']}>
        <input
          type="checkbox"
          checked={fields[name]}
          disabled={whyNot !== undefined}
          onChange={() => change({ [name]: !fields[name] })}
        />
        {label}
      </label>
      <p class={f['help']}>{help}</p>
    </div>
  )
  return (
    <form
      class={f['form']}
      onSubmit={(event) => {
        event.preventDefault()
        onSubmit()
      }}
    >
      {whyNot === undefined ? null : <p class="muted">{whyNot}</p>}
      {text('description', 'What it is', 'Shown beside the name.')}
      <h3 class={s['part']}>How old values may be</h3>
      {text('maxAge', 'Greatest age', 'Such as 90d. Empty: any age will do.', '90d')}
      {text('exempt', 'Keys that may be older', 'With commas between.', 'PUBLIC_URL')}
      {box(
        'refuses',
        'Refuse other new values while one is too old',
        'What runs runs on. Renewals, deletions and going back always pass.',
      )}
      <h3 class={s['part']}>How old the key may be</h3>
      {text('keyEvery', 'Replaced every', 'Such as 90d. Empty: as the controller has it.', '90d')}
      {box(
        'keyEnforced',
        'Refuse new values 30 days after the key was due',
        'Reads, deliveries, deletions and rotations go on.',
      )}
      <h3 class={s['part']}>How stagelets get a new revision</h3>
      <div class={f['pair']}>
        {text('atOnce', 'At the same time', 'Empty: all.', 'all')}
        {text('deadline', 'Time limit of one, in seconds', 'One that is late stops it.', '600')}
      </div>
      {box(
        'isPaused',
        'Paused',
        'No further stagelet gets a new revision. Those that have it go on.',
      )}
    </form>
  )
}
