// Plain values in texts for people: short, on one line.
import type { ReviewChange } from '../../src/manifests/review.ts'

export const valueText = (value: string): string =>
  JSON.stringify(value.length <= 80 ? value : `${value.slice(0, 79)}…`)

/** What a value was, and what it becomes; empty where both are masked. */
export const changedValue = (before: string | undefined, after: string | undefined): string => {
  if (before === undefined && after === undefined) return ''
  const [from, to] = [before, after].map((value) =>
    value === undefined ? 'masked' : valueText(value),
  )
  return `: ${from} -> ${to}`
}

/** Of a review. */
export const plainChange = ({ action, plain }: Pick<ReviewChange, 'action' | 'plain'>): string => {
  if (action === 'Create') return plain?.after === undefined ? '' : `: ${valueText(plain.after)}`
  return changedValue(plain?.before, plain?.after)
}
