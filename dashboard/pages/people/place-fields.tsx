// Fields for the places to which a token or a member's role is narrowed: names between spaces or commas; none: all.
import { narrowingKeys, type Narrowing } from '../../../src/access/place.ts'
import f from '../../ui/fields/form.module.css'

type PlaceTexts = Readonly<Record<(typeof narrowingKeys)[number], string>>

export const textsOf = (narrowing: Narrowing): PlaceTexts => {
  const textOf = (key: keyof PlaceTexts): string => (narrowing[key] ?? []).join(', ')
  return {
    projects: textOf('projects'),
    environments: textOf('environments'),
    stagelets: textOf('stagelets'),
    folders: textOf('folders'),
  }
}

/** Names between spaces or commas; none: no limit. */
export const namesIn = (text: string): string[] | undefined => {
  const names = text.split(/[\s,]+/).filter((name) => name !== '')
  return names.length === 0 ? undefined : names
}

const labels: PlaceTexts = {
  projects: 'Only in projects',
  environments: 'Only in environments',
  stagelets: 'Only stagelets',
  folders: 'New stacks only below',
}

export const PlaceFields = ({
  texts,
  onChange,
}: {
  readonly texts: PlaceTexts
  readonly onChange: (texts: PlaceTexts) => void
}) => (
  <div class={f['pair']}>
    {narrowingKeys.map((key) => (
      <label>
        <span>{labels[key]}</span>
        <input
          placeholder="all"
          value={texts[key]}
          onInput={(event) => onChange({ ...texts, [key]: event.currentTarget.value })}
        />
      </label>
    ))}
  </div>
)
