// The expiry of a secret as a form, as REST takes it, and in words. Pure.
import type { Secret } from '../../../../src/generated/rest-types.ts'
import type { Spec } from '../../../actions/kinds.ts'

type Expiry = NonNullable<Secret['expiry']>

export interface ExpiryFields {
  readonly how: 'never' | 'after' | 'at'
  readonly after: string
  readonly at: string
  readonly warn: string
  readonly rotates: boolean
}

export const expiryFields = (expiry: Expiry | undefined): ExpiryFields => ({
  how: expiry?.after !== undefined ? 'after' : expiry?.at !== undefined ? 'at' : 'never',
  after: expiry?.after ?? '',
  at: expiry?.at ?? '',
  warn: (expiry?.warn ?? []).join(', '),
  rotates: expiry?.on_expiry === 'Rotate',
})

/** undefined: the value has none. */
export const expiryBody = ({ how, after, at, warn, rotates }: ExpiryFields): Spec | undefined => {
  if (how === 'never') return undefined
  const warnings = warn.split(/[\s,]+/).filter((text) => text !== '')
  return {
    ...(how === 'after' ? { after: after.trim() } : { at: at.trim() }),
    ...(warnings.length > 0 && { warn: warnings }),
    ...(rotates && { on_expiry: 'Rotate' }),
  }
}

export const expiryText = (expiry: Expiry | undefined): string => {
  if (expiry?.after === undefined && expiry?.at === undefined) return 'none'
  const when =
    expiry.after === undefined ? `at ${expiry.at ?? ''}` : `${expiry.after} after the value was set`
  const then =
    expiry.on_expiry === 'Rotate' ? 'then a new value is generated' : 'then notifiers send it'
  return `${when}, ${then}; warnings ${(expiry.warn ?? ['30d', '7d', '1d']).join(', ')} before`
}
