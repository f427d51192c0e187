// What one may not mean with an edit, and is asked before it is staged. Pure.
import { looksSecret } from '../../../../src/secrets/looks-secret.ts'
import { narrowerPlaces, placesText } from '../../../../src/secrets/place.ts'
import type { ProjectEntry } from '../../../../src/secrets/set-entry.ts'
import type { EditFields } from './edit-plan.ts'

interface Doubtful {
  readonly fields: EditFields
  /** Text of the new value; undefined: it is not known here. */
  readonly text: string | undefined
  /** The value becomes readable by the edit. */
  readonly isShownAnew: boolean
  /** Secrets of the key, but for the edited one. */
  readonly others: readonly ProjectEntry[]
}

/** Stands for a value that is not known: the name alone decides. */
const anyText = 'any-value'

export const secretDoubt = ({
  fields,
  text,
  isShownAnew,
}: Omit<Doubtful, 'others'>): string | undefined =>
  isShownAnew && looksSecret(fields.key, text ?? anyText)
    ? `The value of ${fields.key} looks like a secret. As a plain value, everybody who sees its name sees it.`
    : undefined

/** The key was kept to fewer services. */
export const reachDoubt = ({
  fields,
  others,
}: Pick<Doubtful, 'fields' | 'others'>): string | undefined => {
  const { key, scope, stagelet, environments } = fields
  const place = stagelet === '' ? { scope, environments } : { scope, stagelet }
  const narrower = narrowerPlaces(others, place)
  return narrower.length === 0
    ? undefined
    : `${key} was kept to ${placesText(narrower)}. This one goes to ${placesText([place])}.`
}
