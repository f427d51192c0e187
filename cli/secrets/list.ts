// secrets list: names and versions, and of values only plain ones. Of a project with environments: who has which key where.
import { openClient } from '../connect/client.ts'
import {
  environmentRows,
  rowId,
  type EnvironmentRow,
  type KeyInEnvironment,
} from '../../src/secrets/environment-rows.ts'
import { environmentsOf } from '../../src/secrets/project-environments.ts'
import type { EnvironmentSpec } from '../../src/kinds/shared/environment.ts'
import { currentCondition } from '../../src/resources/conditions.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { get } from '../objects/get.ts'
import { type KubeApi } from '../connect/api.ts'
import { isReason } from '../../src/kernel/errors.ts'
import { usageError } from '../errors.ts'
import { servedKind } from '../output/kinds.ts'
import { listObjects, type ObjectSelection } from '../objects/objects.ts'
import { newCommand, type Command } from '../options.ts'
import { renderColumns } from '../output/table.ts'
import { note, out } from '../print.ts'
import { chosenProject, entryOf, secretIdentityOf } from '../objects/secret-identity.ts'
import { withSecretFlags, type SecretFlags } from '../objects/secret-flags.ts'

export const secretListCommand = (): Command =>
  withSecretFlags(
    newCommand(
      'list -A -l -o',
      'List secrets: names and versions; with -o wide, values of plain ones.',
      [
        'stagely secrets list --project shop        # with a column for each environment',
        'stagely secrets list --project shop --scope backend -o json',
        'stagely secrets list --project shop --environment production',
        'stagely secrets list -A -o wide',
      ],
    ),
  )
    .addHelpText(
      'after',
      `
Of a project with environments each row is a key, and each environment a column: "own" where a secret names the
environment, "inherited" where it sees the secret of the whole project, else "none". -o wide has a row for each secret.`,
    )
    .action(list)

const filterOf =
  (flags: SecretFlags): ObjectSelection['isMeant'] =>
  (object) => {
    const { project, scope, stagelet, environments = [] } = secretIdentityOf(object)
    const isNamed = flags.environment?.some((name) => environments.includes(name)) ?? true
    return (
      isNamed &&
      (flags.project ?? project) === project &&
      (flags.scope ?? scope) === scope &&
      (flags.stagelet ?? stagelet) === stagelet
    )
  }

/** A mistyped environment is an error, too. */
const requireEnvironments = async (api: KubeApi, flags: SecretFlags): Promise<void> => {
  const { environment: wanted = [], project, allNamespaces } = flags
  if (wanted.length === 0) return
  const place = { namespace: allNamespaces === true ? undefined : api.namespace }
  const projects = await listObjects(api, servedKind('Project'), place).catch((error: unknown) => {
    // A token for a part of a project reads no project.
    if (!isReason(error, 'Forbidden')) throw error
    return undefined
  })
  const meant = projects?.filter(({ metadata }) => (project ?? metadata.name) === metadata.name)
  const known = new Set(
    meant?.flatMap((one) => environmentsOf(one).map(({ name }) => name)) ?? wanted,
  )
  const unknown = wanted.filter((name) => !known.has(name))
  if (unknown.length === 0) return
  const there = known.size === 0 ? 'there are none' : `there are ${[...known].sort().join(', ')}`
  throw usageError(`no environment is named ${unknown.join(', ')}: ${there}`)
}

/** Where one project is meant, and all of its environments. */
const wantsGrid = (flags: SecretFlags): boolean =>
  [flags.output, flags.selector, flags.stagelet, flags.environment].every(
    (flag) => flag === undefined,
  ) && flags.allNamespaces !== true

/** Why no service has the scope; undefined where one has it, or no agent has reported yet. */
const whyNoService = (secret: KubeObject): string | undefined => {
  const matched = currentCondition(secret, 'ScopeMatched')
  return matched?.status === 'False' ? matched.message : undefined
}

const list = async (flags: SecretFlags): Promise<void> => {
  const isNamed = filterOf(flags)
  const unseen = new Map<string, string>()
  const isMeant = (secret: KubeObject): boolean => {
    const isListed = isNamed?.(secret) ?? true
    const why = isListed ? whyNoService(secret) : undefined
    const { key, scope } = secretIdentityOf(secret)
    if (why !== undefined) unseen.set(secret.metadata.uid ?? '', `${key} (${scope}): ${why}`)
    return isListed
  }
  const narrow = async (api: KubeApi): Promise<Pick<ObjectSelection, 'isMeant'>> => {
    // A mistyped project is an error, not an empty list.
    if (flags.project !== undefined && flags.allNamespaces !== true)
      await chosenProject(api, flags.project)
    await requireEnvironments(api, flags)
    return { isMeant }
  }
  const grid = wantsGrid(flags)
    ? await readGrid((await openClient(flags)).api, flags, isMeant)
    : undefined
  if (grid === undefined) await get(['stagelysecrets'], flags, narrow)
  else out(grid)
  const isTable = flags.output === undefined || flags.output === 'wide'
  if (isTable && unseen.size > 0) note([...unseen.values()].join('\n'))
}

/** Undefined where the project has no environments or no secrets, and where several projects are meant. */
const readGrid = async (
  api: KubeApi,
  { project: given }: SecretFlags,
  isMeant: ObjectSelection['isMeant'],
): Promise<string | undefined> => {
  const { namespace } = api
  const projects = await listObjects(api, servedKind('Project'), { namespace })
  const [project, ...others] = projects.filter(
    ({ metadata }) => (given ?? metadata.name) === metadata.name,
  )
  const environments = environmentsOf(project)
  if (environments.length === 0 || others.length > 0) return undefined
  const secrets = await listObjects(api, servedKind('StagelySecret'), { namespace })
  const inProject = secrets.filter(
    (object) => secretIdentityOf(object).project === project?.metadata.name,
  )
  const rows = rowsFor(inProject, environments, isMeant)
  const unseen = inProject.filter((secret) => whyNoService(secret) !== undefined)
  const scopes = new Set(unseen.map((secret) => secretIdentityOf(secret).scope))
  return rows.length === 0 ? undefined : renderGrid(rows, environments, scopes)
}

/** The set is judged as a whole: a secret that is not meant may still be the one that a service sees. */
const rowsFor = (
  secrets: readonly KubeObject[],
  environments: readonly EnvironmentSpec[],
  isMeant: ObjectSelection['isMeant'],
): EnvironmentRow[] => {
  const meant = new Set(
    secrets
      .filter((secret) => isMeant?.(secret) ?? true)
      .map((secret) => rowId(secretIdentityOf(secret))),
  )
  return environmentRows(secrets.map(entryOf), environments).filter((row) => meant.has(rowId(row)))
}

const renderGrid = (
  rows: readonly EnvironmentRow[],
  environments: readonly EnvironmentSpec[],
  /** Scopes that no service has. */
  unseen: ReadonlySet<string>,
): string => {
  const names = environments.map(({ name }) => name)
  const isColumn = rows.some(({ stagelets }) => stagelets.length > 0)
  const header = ['KEY', 'SCOPE', ...names.map((name) => name.toUpperCase())]
  return renderColumns(
    [...header, ...(isColumn ? ['ONE STAGELET'] : [])],
    rows.map((row) => [
      row.key,
      row.isForController
        ? '(the controller)'
        : `${row.scope}${unseen.has(row.scope) ? ' (no such service)' : ''}`,
      ...names.map((name) => cellText(row.environments.get(name))),
      row.stagelets.join(', '),
    ]),
  )
}

const words = { Own: 'own', Inherited: 'inherited' }

export const cellText = (there: KeyInEnvironment | undefined): string =>
  there === undefined ? 'none' : words[there.from]
