// The differences between two sets of secrets, by name, as diff and rollback print them. Of values only plain ones.
import type { SetDiff } from '../../src/rest/types.ts'
import { usageError } from '../errors.ts'
import { changedValue, valueText } from '../output/plain-value.ts'
import { placeText } from './identity.ts'

interface Named {
  readonly name: string
  readonly key: string
  readonly scope: string
  readonly stagelet?: string
  readonly environments?: readonly string[]
  readonly audience?: string
}

const label = ({ key, audience, ...place }: Named): string =>
  `${key} (${audience === undefined ? placeText(place) : 'for the controller'})`

const given = (value: string | undefined): string =>
  value === undefined ? '' : `: ${valueText(value)}`

/** Text for people. */
export const renderDiff = ({ added, removed, changed }: SetDiff): string => {
  const lines = [
    ...added.map((secret) => `+ ${label(secret)}${given(secret.value)}`),
    ...removed.map((secret) => `- ${label(secret)}${given(secret.from_value)}`),
    ...changed.map(
      (secret) =>
        `~ ${label(secret)}  ${secret.what.join(', ')}: version ${secret.from_version} -> ${secret.to_version}${changedValue(secret.from_value, secret.value)}`,
    ),
  ]
  return lines.length === 0 ? 'No differences.' : lines.join('\n')
}

/** Usage error for a format that makes no sense here. Call it before anything is done. */
export const checkFormat = (output: string | undefined): void => {
  if (output !== undefined && output !== 'json' && output !== 'yaml')
    throw usageError(`-o ${output} is not known here; use json or yaml`)
}
