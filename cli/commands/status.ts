// status: one screen with everything that is wrong, or the statement that nothing is.
import { isDeepStrictEqual } from 'node:util'
import { realClock, toTimestamp } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import { isReason, messageOf } from '../../src/kernel/errors.ts'
import {
  attentionIn,
  attentionKinds,
  judge,
  type Attention,
} from '../../src/attention/attention.ts'
import { currentCondition } from '../../src/resources/conditions.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { createApi, type KubeApi } from '../connect/api.ts'
import { findConnection, type ControllerConnection } from '../connect/connect.ts'
import { findKinds, fullName, servedKind } from '../output/kinds.ts'
import {
  getIfThere,
  listObjects,
  objectSelection,
  type ObjectSelection,
} from '../objects/objects.ts'
import { maySucceedLater } from '../errors.ts'
import { newCommand, type Command, type CommonFlags } from '../options.ts'
import { printAs } from '../output/output.ts'
import { note } from '../print.ts'
import { renderColumns } from '../output/table.ts'
import { answerMs, exchange } from '../connect/transport.ts'

export const command = (): Command =>
  newCommand('status -o=data -l -A', 'Show what is not in sync, and every warning.', [
    'stagely status',
    'stagely status -A',
    'stagely status -o json',
    'stagely status -w',
  ])
    .option('-w, --watch', 'print it again whenever it is different, until it is stopped')
    .action(status)

interface Overview {
  readonly server: string
  /** Absent: all namespaces. */
  readonly namespace?: string
  /** What the controller says of itself while it is not ready: what it tells may be old. */
  readonly not_ready?: string
  readonly stagelets: { readonly total: number; readonly in_sync: number }
  readonly agents: { readonly total: number; readonly ready: number; readonly drained: number }
  readonly secrets: number
  readonly projects: number
  readonly warnings: readonly StatusWarning[]
}

/** In the form that scripts read. */
interface StatusWarning extends Omit<Attention, 'kind' | 'name'> {
  readonly object: string
}

export const warningsOf = (objects: readonly KubeObject[]): StatusWarning[] =>
  attentionIn(objects.map(judge)).map(({ namespace, kind, name, ...cause }) => ({
    namespace,
    object: fullName(findKinds(kind)[0]!, name),
    ...cause,
  }))

const watchEveryMs = 5_000

const counted = ['Namespace', 'Stagelet', 'Agent', 'StagelySecret', 'Project']
const otherKinds = attentionKinds.filter((kind) => !counted.includes(kind))

const status = async (flags: CommonFlags & { watch?: boolean }): Promise<void> => {
  const { output } = flags
  const first = await readOverview(flags)
  await printAs(first, output, () => renderOverview(first))
  for (let shown = first; flags.watch === true;) {
    await realClock.sleep(watchEveryMs)
    const overview = await readAgain(flags)
    if (isDeepStrictEqual(overview, shown)) continue
    shown = overview
    await printAs(
      overview,
      output,
      () => `\n${toTimestamp(realClock.now())}\n${renderOverview(overview)}`,
    )
  }
}
/** Asks until the controller answers; says once that it does not. */
const readAgain = async (flags: CommonFlags): Promise<Overview> => {
  for (let isSaid = false; ; isSaid = true) {
    try {
      return await readOverview(flags)
    } catch (error) {
      if (!maySucceedLater(error)) throw error
      if (!isSaid) note(`${messageOf(error)}; asking again`)
      await realClock.sleep(watchEveryMs)
    }
  }
}

export const readOverview = async (flags: CommonFlags): Promise<Overview> => {
  const connection = await findConnection(flags)
  const api = createApi(connection)
  const selection = objectSelection(api, flags)
  const read = (kind: string): Promise<KubeObject[]> =>
    listObjects(api, servedKind(kind), selection)
  const stagelets = await read('Stagelet')
  const agents = await read('Agent')
  const secrets = await read('StagelySecret')
  const projects = await read('Project')
  // A controller or cluster of before may not know these kinds; some are not for each role to list.
  const readKnown = (kind: string): Promise<KubeObject[]> =>
    read(kind).catch((error: unknown) => {
      if (isReason(error, 'NotFound') || isReason(error, 'Forbidden')) return []
      throw error
    })
  const others = (await Promise.all(otherKinds.map(readKnown))).flat()
  const teams = await readTeams(api, selection)
  const countTrue = (objects: readonly KubeObject[], type: string): number =>
    objects.filter((object) => currentCondition(object, type)?.status === 'True').length
  const drained = agents.filter(({ spec }) => spec?.['drained'] === true)
  const { namespace } = selection
  return {
    server: api.server,
    ...defined({ namespace, not_ready: await readFault(connection) }),
    stagelets: { total: stagelets.length, in_sync: countTrue(stagelets, 'SecretsInSync') },
    agents: {
      total: agents.length,
      ready: countTrue(agents, 'Ready'),
      drained: drained.length,
    },
    secrets: secrets.length,
    projects: projects.length,
    warnings: warningsOf([
      ...[...teams, ...stagelets, ...agents, ...secrets, ...projects],
      ...others,
    ]),
  }
}

/** undefined while the controller is ready; a cluster says it in its own way. */
const readFault = async ({
  server,
  options,
}: ControllerConnection): Promise<string | undefined> => {
  const { status, text } = await exchange(
    server,
    '/readyz',
    { silentMs: answerMs },
    await options(),
  )
  return status === 503 && /^(not ready|stopping)/.test(text) ? text : undefined
}

/** Conditions of a team show faults of the sources that declare its objects. */
const readTeams = async (
  api: KubeApi,
  { namespace, selector }: ObjectSelection,
): Promise<KubeObject[]> => {
  if (selector !== undefined) return []
  if (namespace === undefined) return listObjects(api, servedKind('Namespace'), { namespace })
  const team = await getIfThere(api, servedKind('Namespace'), '', namespace)
  return team === undefined ? [] : [team]
}

const shortened = (message: string): string => {
  const [first = '', ...more] = message.trimEnd().split('\n')
  return more.length === 0 ? first : `${first} (and ${more.length} more in "stagely describe")`
}

export const renderOverview = (overview: Overview): string => {
  const { server, namespace, not_ready: fault, stagelets, agents, secrets, projects } = overview
  const { warnings } = overview
  const where = namespace === undefined ? 'all namespaces' : `namespace ${namespace}`
  const counts =
    `${where} at ${server}\n` +
    `  stagelets  ${stagelets.in_sync} of ${stagelets.total} in sync\n` +
    `  agents     ${agents.ready} of ${agents.total} ready${agents.drained === 0 ? '' : `, ${agents.drained} drained`}\n` +
    `  secrets    ${secrets} in ${projects} ${projects === 1 ? 'project' : 'projects'}`
  const old = `The controller is ${fault}. What is said here may be old.`
  const head = fault === undefined ? counts : `${counts}\n\n${old}`
  if (warnings.length === 0)
    return fault === undefined ? `${counts}\n\nNothing needs attention.` : head
  const rows = foldWarnings(warnings).map((w) => [
    w.namespace,
    w.object,
    `${w.condition}=${w.status} ${w.reason}`,
    shortened(w.message),
  ])
  return `${head}\n\n${renderColumns(['NAMESPACE', 'OBJECT', 'WARNING', 'MESSAGE'], rows)}`
}

const mostAlike = 3

/** Many objects of one kind with one reason are one row, which says how many and the first message. */
const foldWarnings = (warnings: readonly StatusWarning[]): StatusWarning[] => {
  const alike = new Map<string, StatusWarning[]>()
  for (const w of warnings) {
    const [kind = ''] = w.object.split('/')
    const cause = JSON.stringify([w.namespace, kind, w.condition, w.status, w.reason])
    alike.set(cause, [...(alike.get(cause) ?? []), w])
  }
  return [...alike.values()].flatMap((all) => {
    const [first] = all
    if (first === undefined || all.length <= mostAlike) return all
    const object = `${first.object} and ${all.length - 1} more`
    return [{ ...first, object }]
  })
}
