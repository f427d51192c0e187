// secrets diff HERE THERE: what two environments of a project have of each key. The server compares the values, and returns none.
import { openClient } from '../connect/client.ts'
import type { Secret } from '../../src/generated/rest-types.ts'
import { defined } from '../../src/kernel/defined.ts'
import {
  compareEnvironments,
  comparisonText,
  environmentRows,
  type AreEqual,
  type Comparison,
  type EnvironmentRow,
  type KeyInEnvironment,
} from '../../src/secrets/environment-rows.ts'
import { listObjects } from '../objects/objects.ts'
import { servedKind } from '../output/kinds.ts'
import { projectPath } from '../connect/rest.ts'
import { Exit, usageError } from '../errors.ts'
import { checkFormat, printAs } from '../output/output.ts'
import { renderColumns } from '../output/table.ts'
import {
  chosenProject,
  entryOf,
  requireEnvironment,
  secretIdentityOf,
} from '../objects/secret-identity.ts'
import type { SecretFlags } from '../objects/secret-flags.ts'
import { cellText } from './list.ts'

type Verdict = 'OnlyHere' | 'OnlyThere' | 'Equal' | 'Different' | 'Unknown'

interface ComparedKey {
  readonly key: string
  readonly scope: string
  readonly verdict: Verdict
  readonly here?: Shown
  readonly there?: Shown
}

type Shown = Omit<KeyInEnvironment, 'secretId'>

const shownOf = (found: KeyInEnvironment | undefined): Shown | undefined => {
  if (found === undefined) return undefined
  const { secretId: _, ...rest } = found
  return rest
}

const verdictOf = ({ missing, values }: Comparison, here: string): Verdict => {
  if (missing.length > 0) return missing.includes(here) ? 'OnlyThere' : 'OnlyHere'
  return values
}

interface KeyClasses {
  readonly key: string
  readonly classes: readonly (readonly string[])[]
}

/** Exit code 1 where something differs. */
export const compareNamed = async (
  here: string,
  there: string,
  flags: SecretFlags,
): Promise<void> => {
  checkFormat(flags.output)
  if (here === there) throw usageError('name two environments')
  const { api, rest } = await openClient(flags)
  const project = await chosenProject(api, flags.project)
  await requireEnvironment(api, project, here)
  const environments = await requireEnvironment(api, project, there)
  const { namespace } = api
  const secrets = (await listObjects(api, servedKind('StagelySecret'), { namespace })).filter(
    (object) => secretIdentityOf(object).project === project,
  )
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
  /** Undefined: guarded, and nothing is told of its value. */
  const classOf = ({ secret }: KeyInEnvironment): string | undefined =>
    classes.get(ids.get(secret) ?? '')
  const areEqual: AreEqual = (a, b) => {
    const [one, two] = [classOf(a), classOf(b)]
    return one === undefined || two === undefined ? undefined : one === two
  }
  const names = [here, there]
  const compared = environmentRows(secrets.map(entryOf), environments).flatMap((row) => {
    const difference = compareEnvironments(row, names, areEqual)
    return difference === undefined ? [] : [{ ...row, difference }]
  })
  const keys = compared.map(({ key, scope, environments: of, difference }): ComparedKey => ({
    key,
    scope,
    verdict: verdictOf(difference, here),
    ...defined({ here: shownOf(of.get(here)), there: shownOf(of.get(there)) }),
  }))
  await printAs({ here, there, keys }, flags.output, () => renderCompared(names, compared))
  if (keys.some(({ verdict }) => verdict !== 'Equal')) throw new Exit(1)
}

const renderCompared = (
  names: readonly string[],
  compared: readonly (EnvironmentRow & { readonly difference: Comparison })[],
): string => {
  if (compared.length === 0) return 'Neither environment has a key.'
  return renderColumns(
    ['KEY', 'SCOPE', ...names.map((name) => name.toUpperCase()), 'VALUES'],
    compared.map(({ key, scope, environments, difference }) => [
      key,
      scope,
      ...names.map((name) => cellText(environments.get(name))),
      comparisonText(difference, names),
    ]),
  )
}
