// status: one screen that says what is wrong, or that nothing is.
import type { Command } from 'commander'
import type { Condition } from '../../src/resources/conditions.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { Kind } from '../../src/resources/registry.ts'
import { findKinds, fullName, kindOf } from '../kinds.ts'
import { currentCondition, listObjects, selectionOf } from '../objects.ts'
import {
  allNamespacesOption,
  newCommand,
  openApi,
  selectorOption,
  type CommonFlags,
} from '../options.ts'
import { out } from '../print.ts'
import { renderColumns } from '../table.ts'
import { isInSync } from '../wait-in-sync.ts'

export const command = (): Command =>
  newCommand('status', 'One screen: what is not in sync, and every warning.', [
    'stagely status',
    'stagely status -A',
  ])
    .addOption(allNamespacesOption())
    .addOption(selectorOption())
    .action(status)

const status = async (flags: CommonFlags): Promise<void> => {
  const api = await openApi(flags)
  const selection = selectionOf(api, flags)
  const read = (kind: string): Promise<KubeObject[]> => listObjects(api, kindOf(kind), selection)
  const stagelets = await read('Stagelet')
  const agents = await read('Agent')
  const secrets = await read('StagelySecret')
  const projects = await read('Project')
  const ready = agents.filter((agent) => currentCondition(agent, 'Ready')?.status === 'True')
  const where =
    selection.namespace === undefined ? 'all namespaces' : `namespace ${selection.namespace}`
  out(
    `${where} at ${api.server}\n` +
      `  stagelets  ${stagelets.filter(isInSync).length} of ${stagelets.length} in sync\n` +
      `  agents     ${ready.length} of ${agents.length} ready\n` +
      `  secrets    ${secrets.length} in ${projects.length} ${projects.length === 1 ? 'project' : 'projects'}`,
  )
  const rows = [...stagelets, ...agents, ...secrets, ...projects].flatMap(warningsOf)
  if (rows.length === 0) out('\nNothing needs attention.')
  else out(`\n${renderColumns(['NAMESPACE', 'OBJECT', 'WARNING', 'MESSAGE'], rows)}`)
}

/** What each condition is when all is well; those that are not named here are bad when True. */
const goodWhenTrue = new Set([
  'Ready',
  'SecretsInSync',
  'InSync',
  'AgentReachable',
  'Accepted',
  'ScopeMatched',
])
/** Only says that something is under way. */
const neutral = new Set(['Progressing'])

export const warningsOf = (object: KubeObject): string[][] => {
  const kind: Kind = findKinds(object.kind)[0]!
  const { conditions = [] } = (object.status ?? {}) as { conditions?: Condition[] }
  const bad = conditions.filter(
    (c) =>
      !neutral.has(c.type) &&
      (goodWhenTrue.has(c.type) ? c.status !== 'True' : c.status === 'True'),
  )
  return bad.map((c) => [
    object.metadata.namespace ?? '',
    fullName(kind, object.metadata.name),
    `${c.type}=${c.status} ${c.reason}`,
    c.message.split('\n')[0] ?? '',
  ])
}
