// The state of the dialog that stages an edit: its fields, what is wrong with them, and what one may not mean.
import { useRef, useState } from 'preact/hooks'
import type { Secret } from '../../../../src/generated/rest-types.ts'
import { everyService } from '../../../../src/secrets/place.ts'
import { stageAll, type Edit } from '../../../staging/staging.ts'
import type { ValueHandle } from '../../../ui/fields/value-field.tsx'
import type { ProjectPlace, ProjectSecrets, SecretRow } from '../../project/data.ts'
import type { Preset } from '../places/lens-grid.tsx'
import { reachDoubt, secretDoubt } from './doubts.ts'
import { editFault, nowhereElse, planEdit, visibilityOf, type EditFields } from './edit-plan.ts'

export interface EditProps {
  readonly place: ProjectPlace
  readonly all: ProjectSecrets
  /** undefined: a new one. */
  readonly edited: SecretRow | undefined
  readonly preset: Preset | undefined
  readonly onClose: () => void
}

const fieldsOf = (
  secret: Secret | undefined,
  { key, scope, stagelet, environments }: Preset,
): EditFields => ({
  key: secret?.key ?? key ?? '',
  scope: secret?.scope ?? scope ?? everyService,
  stagelet: secret?.stagelet ?? stagelet ?? '',
  environments: secret?.environments ?? environments,
  type: secret?.type ?? 'env',
  path: secret?.file_path ?? '',
  visibility: visibilityOf(secret ?? {}),
})

/** What a staged edit changes beside the value, the scope and the stagelet. */
const fieldsAfter = ({
  environments,
  visibility,
}: NonNullable<Edit['fields']> = {}): Partial<EditFields> => ({
  ...(environments !== undefined && {
    environments: Array.isArray(environments) ? environments.map(String) : undefined,
  }),
  ...(visibility !== undefined && { visibility: visibility === 'Plain' ? 'Plain' : 'Masked' }),
})

/** Where a staged edit has moved the secret to. */
const movedFields = (fields: EditFields, edit: Edit | undefined): EditFields => ({
  ...fields,
  ...(typeof edit?.target?.scope === 'string' && { scope: edit.target.scope }),
  ...(edit?.target?.stagelet !== undefined && { stagelet: edit.target.stagelet ?? '' }),
  ...fieldsAfter(edit?.fields),
})

export const useEdit = ({ place, all, edited, preset = {}, onClose }: EditProps) => {
  // A secret that is only staged is edited as a new one.
  const isNew = edited === undefined || edited.secret.name === ''
  const secret = edited?.secret
  const [fields, setFields] = useState(() => movedFields(fieldsOf(secret, preset), edited?.edit))
  const [more, setMore] = useState(nowhereElse)
  const [fault, setFault] = useState<string | undefined>()
  const [doubts, setDoubts] = useState<readonly string[]>([])
  const isPlaceSaid = useRef(preset.scope !== undefined || !isNew)
  const value = useRef<ValueHandle>(null)
  const change = (part: Partial<EditFields>): void => {
    setDoubts([])
    setFields({ ...fields, ...part })
  }
  const others = all.matrix.head.of(fields.key).filter(({ secretId }) => secretId !== secret?.id)
  const reach = reachDoubt({ fields, others })
  const doubtsNow = (): string[] => {
    const text = value.current?.text()
    const wasPlain = secret !== undefined && visibilityOf(secret) === 'Plain'
    const isShownAnew = fields.visibility === 'Plain' && (text !== undefined || !wasPlain)
    return [
      secretDoubt({ fields, text, isShownAnew }),
      isPlaceSaid.current ? undefined : reach,
    ].filter((doubt) => doubt !== undefined)
  }
  const submit = (): void => {
    const given = { fields, more, edited, rows: all.rows }
    const wrong = editFault({ ...given, bytes: value.current?.has() === true ? 0 : undefined })
    setFault(wrong)
    if (wrong !== undefined) return
    const found = doubtsNow()
    if (found.some((doubt) => !doubts.includes(doubt))) {
      setDoubts(found)
      return
    }
    const content = value.current?.take()
    const from = edited?.edit?.id
    stageAll(
      [place.team, place.project],
      planEdit({ ...given, bytes: content?.bytes }).map(({ edit, replaces }) => ({
        edit,
        how: { value: content?.value, replaces, from },
      })),
    )
    onClose()
  }
  return {
    fields,
    change,
    more,
    setMore,
    value,
    isNew,
    fault,
    doubts,
    submit,
    /** Said while it is not asked. */
    reach: reach === undefined || doubts.includes(reach) ? undefined : reach,
    changePlace: (part: Partial<EditFields>): void => {
      isPlaceSaid.current = true
      change(part)
    },
  }
}
