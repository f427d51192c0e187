// secrets diff: the differences between two revisions of a project, by name, and of values only plain ones.
import type { Command } from '../options.ts'
import type { SetDiff } from '../../src/generated/rest-types.ts'
import { openApi } from '../connect/api.ts'
import { openRest, projectPath } from '../connect/rest.ts'
import { parseNumber, secretCommand, type SecretFlags } from '../objects/secret-flags.ts'
import { chosenProject, placeText } from '../objects/secret-identity.ts'
import { printAs } from '../output/output.ts'
import { changedValue, valueText } from '../output/plain-value.ts'

interface DiffFlags extends SecretFlags {
  readonly from: number
  readonly to?: number
}

export const diffCommand = (): Command =>
  secretCommand(
    'diff -o=data',
    'Show the differences between two revisions: names, and values of plain ones.',
    [
      'stagely secrets diff --project shop --from 12           # to what is stored now',
      'stagely secrets diff --project shop --from 12 --to 15 -o json',
    ],
  )
    .requiredOption('--from <revision>', 'older revision; 0 is the empty set', parseNumber)
    .option('--to <revision>', 'newer revision; what is stored now when absent', parseNumber)
    .action(diff)

const diff = async (flags: DiffFlags): Promise<void> => {
  const project = await chosenProject(await openApi(flags), flags.project)
  const rest = await openRest(flags)
  const query = { from: String(flags.from), to: String(flags.to ?? 'head'), values: 'true' }
  const path = `${projectPath(rest.namespace, project)}/revisions/diff`
  const { body } = await rest.call<SetDiff>(path, { query })
  await printAs(body, flags.output, () => renderDiff(body))
}

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
