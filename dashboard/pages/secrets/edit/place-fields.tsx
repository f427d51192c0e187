// Where a secret is: scope and stagelet; and, for one edit of several places, which others.
import type { Stagelet } from '../../../../src/generated/rest-types.ts'
import { everyService } from '../../../../src/secrets/place.ts'
import { Checks } from '../../../ui/fields/checks.tsx'
import type { MorePlaces, EditTarget } from './edit-plan.ts'
import f from '../../../ui/fields/form.module.css'
import p from './place-fields.module.css'

export const servicesOf = (stagelets: readonly Stagelet[]): string[] =>
  [...new Set(stagelets.flatMap(({ services }) => services.map(({ name }) => name)))].sort()

interface PlaceProps {
  readonly fields: EditTarget
  readonly change: (part: Partial<EditTarget>) => void
  readonly stagelets: readonly Stagelet[]
}

/** Of an option of the select; a stagelet has no such name. */
const mark = 'in:'
const optionOf = (environments: readonly string[]): string => `${mark}${environments.join(',')}`

const placeOf = (option: string): Pick<EditTarget, 'stagelet' | 'environments'> =>
  option.startsWith(mark)
    ? { stagelet: '', environments: option.slice(mark.length).split(',') }
    : { stagelet: option, environments: undefined }

/** Each environment alone, and the list that the secret has. */
const listsOf = (
  environments: readonly string[],
  { environments: own }: EditTarget,
): readonly (readonly string[])[] => {
  const lists = environments.map((name) => [name])
  const isKnown = own === undefined || lists.some((list) => optionOf(list) === optionOf(own))
  return isKnown ? lists : [...lists, own]
}

export const PlaceFields = ({
  fields,
  change,
  stagelets,
  environments,
}: PlaceProps & { readonly environments: readonly string[] }) => (
  <div class={f['pair']}>
    <label>
      <span>Scope</span>
      <input
        list="scopes"
        value={fields.scope}
        autocomplete="off"
        onInput={(event) => change({ scope: event.currentTarget.value })}
      />
      <datalist id="scopes">
        {[everyService, ...servicesOf(stagelets)].map((name) => (
          <option value={name} />
        ))}
      </datalist>
    </label>
    <label>
      <span>Stagelet</span>
      <select
        value={
          fields.stagelet === '' && fields.environments !== undefined
            ? optionOf(fields.environments)
            : fields.stagelet
        }
        onChange={(event) => change(placeOf(event.currentTarget.value))}
      >
        <option value="">all</option>
        {listsOf(environments, fields).map((list) => (
          <option value={optionOf(list)}>all in {list.join(' and ')}</option>
        ))}
        {stagelets.map(({ name }) => (
          <option value={name}>{name}</option>
        ))}
      </select>
    </label>
  </div>
)

interface MoreProps extends PlaceProps {
  readonly more: MorePlaces
  readonly onMore: (more: MorePlaces) => void
  /** What that stages. */
  readonly says: string
}

export const OtherPlaces = ({ fields, stagelets, more, onMore, says }: MoreProps) => (
  <details class={p['more']}>
    <summary>Same value in other places</summary>
    <div class={f['pair']}>
      <Checks
        title="Scopes"
        options={[everyService, ...servicesOf(stagelets)].map((name) => [name, name])}
        fixed={fields.scope}
        chosen={more.scopes}
        onChange={(scopes) => onMore({ ...more, scopes })}
      />
      <Checks
        title="Stagelets"
        options={[['', 'all'], ...stagelets.map(({ name }) => [name, name] as const)]}
        fixed={fields.stagelet}
        chosen={more.stagelets}
        onChange={(chosen) => onMore({ ...more, stagelets: chosen })}
      />
    </div>
    <p class="muted" role="status">
      {says}
    </p>
  </details>
)
