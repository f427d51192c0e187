// secrets diff: the differences between two environments or two revisions of a project, by name, and of values only plain ones.
import { openClient } from '../connect/client.ts'
import type { Command } from '../options.ts'
import type { SetDiff } from '../../src/generated/rest-types.ts'
import { usageError } from '../errors.ts'
import { compareNamed } from './compare.ts'
import { projectPath } from '../connect/rest.ts'
import { parseNumber, secretCommand, type SecretFlags } from '../objects/secret-flags.ts'
import { chosenProject, placeText } from '../objects/secret-identity.ts'
import { printAs } from '../output/output.ts'
import { changedValue, valueText } from '../output/plain-value.ts'

interface DiffFlags extends SecretFlags {
  readonly from?: number
  readonly to?: number
}

export const diffCommand = (): Command =>
  secretCommand(
    'diff -o=data',
    'Show the differences between two environments, or between two revisions; values only of plain ones.',
    [
      'stagely secrets diff production preview --project shop   # exit code 1 when something differs',
      'stagely secrets diff --project shop --from 12           # to what is stored now',
      'stagely secrets diff --project shop --from 12 --to 15 -o json',
    ],
  )
    .argument('[here]', 'environment of the project, such as production')
    .argument('[there]', 'another one')
    .option('--from <revision>', 'older revision; 0 is the empty set', parseNumber)
    .option('--to <revision>', 'newer revision; what is stored now when absent', parseNumber)
    .addHelpText(
      'after',
      `
Of two environments a row is a key of one service, or of all ("global"), as the services of an environment see it. A text
that refers to other secrets is compared as it is written. What an AccessPolicy guards is not compared without a grant.`,
    )
    .action(diff)

const diff = async (
  here: string | undefined,
  there: string | undefined,
  flags: DiffFlags,
): Promise<void> => {
  const { from, to } = flags
  if (here !== undefined && there !== undefined && from === undefined && to === undefined)
    return compareNamed(here, there, flags)
  if (here !== undefined || from === undefined)
    throw usageError('name two environments, or a revision with --from')
  const { api, rest } = await openClient(flags)
  const project = await chosenProject(api, flags.project)
  const query = { from: String(from), to: String(to ?? 'head'), values: 'true' }
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
