// secrets compare: what two environments of a project have of each key. The server compares the values, and returns none.
import type { Command } from 'commander'
import type { Secret } from '../../src/rest/types.ts'
import { defined } from '../../src/kernel/defined.ts'
import { listObjects } from '../objects/objects.ts'
import { servedKind } from '../objects/kinds.ts'
import { openApi } from '../connect/api.ts'
import { openRest, projectPath } from '../connect/rest.ts'
import { Exit, usageError } from '../errors.ts'
import { newCommand, type CommonFlags } from '../options.ts'
import { printAs } from '../output/output.ts'
import { renderColumns } from '../output/table.ts'
import { keyRows, type KeyInEnvironment, type KeyRow } from './environments.ts'
import { chosenProject, requireEnvironment, secretIdentityOf } from './identity.ts'
import { cellText } from './list.ts'
import { checkFormat } from './set-diff.ts'

interface CompareFlags extends CommonFlags {
  readonly project?: string
}

export const compareCommand = (): Command =>
  newCommand(
    'compare -o=data',
    'Compare two environments: which keys are missing, equal or different; never values.',
    [
      'stagely secrets compare production preview --project shop   # exit code 1 when something differs',
      'stagely secrets compare production staging -o json',
    ],
  )
    .argument('<here>', 'environment of the project, such as production')
    .argument('<there>', 'another one')
    .option('-p, --project <name>', 'project; may be left out where the namespace has just one')
    .addHelpText(
      'after',
      `
A row is a key of one service, or of all ("global"), as the services of an environment see it. A text that refers to
other secrets is compared as it is written.`,
    )
    .action(compare)

type Verdict = 'OnlyHere' | 'OnlyThere' | 'Equal' | 'Different'

interface ComparedKey {
  readonly key: string
  readonly scope: string
  readonly verdict: Verdict
  readonly here?: KeyInEnvironment
  readonly there?: KeyInEnvironment
}

type AreEqual = (here: string, there: string) => boolean

/** `areEqual` knows it of two secrets, by their names. */
const compareRows = (
  rows: readonly KeyRow[],
  [here, there]: readonly [here: string, there: string],
  areEqual: AreEqual,
): ComparedKey[] =>
  rows.flatMap(({ key, scope, environments }) => {
    const [a, b] = [environments.get(here), environments.get(there)]
    if (a === undefined && b === undefined) return []
    return [{ key, scope, verdict: verdictOf(a, b, areEqual), ...defined({ here: a, there: b }) }]
  })

const verdictOf = (
  here: KeyInEnvironment | undefined,
  there: KeyInEnvironment | undefined,
  areEqual: AreEqual,
): Verdict => {
  if (there === undefined) return 'OnlyHere'
  if (here === undefined) return 'OnlyThere'
  const isEqual = here.secret === there.secret || areEqual(here.secret, there.secret)
  return isEqual ? 'Equal' : 'Different'
}

interface KeyClasses {
  readonly key: string
  readonly classes: readonly (readonly string[])[]
}

const compare = async (here: string, there: string, flags: CompareFlags): Promise<void> => {
  checkFormat(flags.output)
  if (here === there) throw usageError('name two environments')
  const api = await openApi(flags)
  const project = await chosenProject(api, flags.project)
  await requireEnvironment(api, project, here)
  const environments = await requireEnvironment(api, project, there)
  const { namespace } = api
  const secrets = (await listObjects(api, servedKind('StagelySecret'), { namespace })).filter(
    (object) => secretIdentityOf(object).project === project,
  )
  const rest = await openRest(flags)
  const path = projectPath(rest.namespace, project)
  const ids = new Map(
    (await rest.list<Secret>(`${path}/secrets`, 'secrets', { view: 'compact' })).map(
      ({ name, id }) => [name, id],
    ),
  )
  const classes = new Map<string, string>()
  for (const found of await rest.list<KeyClasses>(`${path}/value-classes`, 'keys'))
    for (const [at, same] of found.classes.entries())
      for (const id of same) classes.set(id, `${found.key} ${at}`)
  const classOf = (name: string): string => classes.get(ids.get(name) ?? '') ?? name
  const keys = compareRows(
    keyRows(secrets, environments),
    [here, there],
    (a, b) => classOf(a) === classOf(b),
  )
  printAs({ here, there, keys }, flags.output, () => renderCompared(here, there, keys))
  if (keys.some(({ verdict }) => verdict !== 'Equal')) throw new Exit(1)
}

const renderCompared = (here: string, there: string, keys: readonly ComparedKey[]): string => {
  if (keys.length === 0) return 'Neither environment has a key.'
  const text = ({ verdict, here: a, there: b }: ComparedKey): string => {
    if (verdict === 'OnlyHere') return `only in ${here}`
    if (verdict === 'OnlyThere') return `only in ${there}`
    if (verdict === 'Different') return 'different'
    return (a?.references ?? b?.references) ? 'equal as written' : 'equal'
  }
  return renderColumns(
    ['KEY', 'SCOPE', here.toUpperCase(), there.toUpperCase(), 'VALUES'],
    keys.map((compared) => [
      compared.key,
      compared.scope,
      cellText(compared.here),
      cellText(compared.there),
      text(compared),
    ]),
  )
}
