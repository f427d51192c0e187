// Which status of each condition is good. Whoever shows what needs somebody reads it here. What each says is in
// scripts/reference/conditions.yaml.
import type { Polarity } from '../resources/kind-names.ts'
import { kindNames } from './names.ts'

type Types = Readonly<Record<string, Polarity>>

export const conditionTypes: Readonly<Record<string, Types>> = Object.fromEntries(
  kindNames.flatMap(({ kind, conditions }) =>
    conditions === undefined ? [] : [[kind, conditions] as const],
  ),
)

/** Whether somebody should look at it. One that is not declared is looked at, unless it is True. */
export const isBadCondition = (
  kind: string,
  { type, status }: { readonly type: string; readonly status: string },
): boolean => {
  switch (conditionTypes[kind]?.[type] ?? 'good') {
    case 'good':
      return status !== 'True'
    case 'bad':
      return status === 'True'
    case 'neutral':
      return false
  }
}
