// diff: the changes that an apply would make, and the services that would get a new container. Names
// only.
import { openClient } from '../connect/client.ts'
import type { ReviewChange, ReviewStatus } from '../../src/manifests/review.ts'
import { Exit, usageError } from '../errors.ts'
import { fullName, servedKind } from '../output/kinds.ts'
import { newCommand, type Command, type CommonFlags } from '../options.ts'
import { plainChange } from '../output/plain-value.ts'
import { checkFormat, printAs } from '../output/output.ts'
import { readOverride } from '../apply/override.ts'
import { out } from '../print.ts'
import { readManifests } from '../apply/read-manifests.ts'
import { renderAffected, reviewDocuments } from '../apply/review.ts'
import { referencesText, valuesToCome } from '../apply/values-to-come.ts'

export const command = (): Command =>
  newCommand(
    'diff -o -f',
    'Show what an apply would change, and which services it would re-create.',
    [
      'stagely diff -f shop.yaml          # exit code 1 when something differs',
      'stagely diff -f manifests/ -o json',
      'stagely diff --override stagelet/shop     # what Compose is given, without the values',
    ],
  )
    .argument('[stagelet...]', 'with --override: stagelet/NAME')
    .option(
      '--override',
      'print the override that Compose is given for stored stagelets, each value as ***REDACTED***',
    )
    .action(diff)

interface DiffFlags extends CommonFlags {
  readonly override?: boolean
}

const showOverrides = async (words: readonly string[], flags: DiffFlags): Promise<void> => {
  if (flags.filename !== undefined)
    throw usageError('--override shows what is stored: leave -f out, and name a stagelet')
  if (flags.output !== undefined && flags.output !== 'yaml')
    throw usageError(`-o ${flags.output} is not known here: an override is YAML`)
  const names = words.map((word) => word.replace(/^stagelets?\//, ''))
  if (names.length === 0 || names.some((name) => name === '' || name.includes('/')))
    throw usageError('say whose override: stagely diff --override stagelet/NAME')
  const { api } = await openClient(flags)
  const shown: string[] = []
  for (const name of names) shown.push(await readOverride(api, name))
  out(shown.join('---\n').trimEnd())
}

const diff = async (words: readonly string[], flags: DiffFlags): Promise<void> => {
  if (flags.override === true) {
    await showOverrides(words, flags)
    return
  }
  if (words.length > 0) throw usageError('name manifests with -f, or a stagelet with --override')
  const { output } = flags
  checkFormat(output)
  const { api } = await openClient(flags)
  const documents = await readManifests(flags.filename, {
    namespace: api.namespace,
    explicit: flags.namespace !== undefined,
  })
  const review = await reviewDocuments(api, documents)
  const objects = documents.map((d) => d.object)
  const later = valuesToCome(review.changes, objects)
  await printAs(review, output, () => renderReview(review, later))
  if (review.changes.some((change) => change.action !== 'Unchanged')) throw new Exit(1)
}

const renderChange = (change: ReviewChange): string[] => {
  const name = fullName(servedKind(change.kind), change.name)
  const where = change.namespace === '' ? '' : ` (${change.namespace})`
  const value = [
    ...(change.valueChanged ? [`    value changes${plainChange(change)}`] : []),
    ...(change.awaits === undefined
      ? []
      : [`    value to come, with ${referencesText(change.awaits)}`]),
  ]
  if (change.action === 'Create') return [`+ ${name}${where}`, ...value]
  return [`~ ${name}${where}`, ...change.fields.map((field) => `    ${field}`), ...value]
}

/** Text for people; says so when nothing would change. */
export const renderReview = (review: ReviewStatus, later: readonly string[] = []): string => {
  const changed = review.changes.filter((change) => change.action !== 'Unchanged')
  if (changed.length === 0) return 'no change'
  return [...changed.flatMap(renderChange), '', ...renderAffected(review, later)].join('\n')
}
