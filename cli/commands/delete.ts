// delete: by name, label or file; waits until the objects are deleted.
import { openClient } from '../connect/client.ts'
import { append } from '../../src/kernel/append.ts'
import { isAbort, isReason } from '../../src/kernel/errors.ts'
import { agentFinalizer, type KubeObject } from '../../src/resources/meta.ts'
import { type KubeApi, mergePatch, pathOf } from '../connect/api.ts'
import { planDeletion } from '../delete/plan.ts'
import { CliError, Exit, NotStagely, renderError, usageError } from '../errors.ts'
import { servedKind, parseTargets, quotedName } from '../output/kinds.ts'
import { followObject, type FollowRef } from '../objects/follow.ts'
import { listObjects } from '../objects/objects.ts'
import { newCommand, waitOf, type Command, type CommonFlags, type WaitFlags } from '../options.ts'
import { note, out } from '../print.ts'
import { confirm } from '../prompt.ts'
import { readManifests } from '../apply/read-manifests.ts'
import { projectPath, type RestClient } from '../connect/rest.ts'

interface Flags extends CommonFlags, WaitFlags {
  readonly all?: boolean
  readonly ignoreNotFound?: boolean
  readonly force?: boolean
  readonly cascade?: boolean
  readonly yes?: boolean
}

export const command = (): Command =>
  newCommand('delete -l -f', 'Delete objects after a confirmation, and wait until they are gone.', [
    'stagely delete secret stripe-secret-key.backend',
    'stagely delete -f shop.yaml --yes',
    'stagely delete stagelets -l team=web --wait=false',
    'stagely delete stagelet shop --force      # its machine is dead for good',
    'stagely delete namespace team-a --cascade # with the stagelets in it',
  ])
    .asking()
    .waitingByDefault('they are gone')
    .argument('[kind...]', 'KIND NAME... or KIND/NAME...')
    .option('--all', 'every object of the kind in the namespace')
    .option('--ignore-not-found', 'a missing object counts as deleted')
    .option('--cascade', 'of a namespace: delete its stagelets as well; without it they keep it')
    .option(
      '--force',
      'do not wait for the agent of a stagelet: for a machine that never comes back. What runs there runs on, whatever its deletionPolicy says',
    )
    .action(remove)

/** Wrong usage is reported before any request. */
const checkUsage = (words: readonly string[], flags: Flags): ReturnType<typeof parseTargets> => {
  const byFiles = flags.filename !== undefined
  if (words.length === 0 && !byFiles) throw usageError('name objects, or give -f')
  if (words.length > 0 && byFiles) throw usageError('give names or -f, not both')
  const targets = words.length > 0 ? parseTargets(words) : []
  const wide = flags.all === true || flags.selector !== undefined
  for (const { names } of targets) {
    if (names.length === 0 && !wide) throw usageError('give names, -l or --all')
    if (names.length > 0 && wide) throw usageError('give names, or -l or --all, not both')
  }
  return targets
}

const remove = async (words: string[], flags: Flags): Promise<void> => {
  const timeoutMs = waitOf(flags)
  const targets = checkUsage(words, flags)
  const { api, rest } = await openClient(flags)
  const doomed = targets.length > 0 ? await byTarget(api, targets, flags) : await byFile(api, flags)
  if (doomed.length === 0) note('No resources found')
  const { details, harmless, restorable } = await planDeletion(api, rest, doomed, flags)
  if (!harmless && details.length > 0)
    await confirm({ question: questionOf(doomed), details }, flags.yes)
  const gone: FollowRef[] = []
  const failures: unknown[] = []
  for (const target of doomed) {
    const { kind, name } = target
    try {
      await removeOne(api, rest, target, flags)
      out(`${quotedName(kind, name)} ${flags.force === true ? 'force deleted' : 'deleted'}`)
      gone.push(target)
    } catch (error) {
      if (!(isReason(error, 'NotFound') && flags.ignoreNotFound === true)) failures.push(error)
    }
  }
  if (timeoutMs !== undefined) await waitUntilGone(api, gone, timeoutMs)
  if (gone.length > 0) for (const line of restorable()) note(line)
  for (const failure of failures) note(renderError(failure))
  if (failures.length > 0) throw new Exit(1)
}

const questionOf = ([first, ...more]: readonly FollowRef[]): string =>
  first === undefined || more.length > 0
    ? `Delete these ${more.length + 1} objects?`
    : `Delete ${quotedName(first.kind, first.name)}?`

const removeOne = async (
  api: KubeApi,
  rest: RestClient,
  { kind, namespace, name }: FollowRef,
  { force, cascade }: Flags,
): Promise<void> => {
  const path = pathOf(kind, kind.namespaced ? namespace : undefined, name)
  // At a controller: its secrets are deleted too, and can be restored during the grace time.
  if (kind.kind === 'Project' && (await isController(rest))) {
    await rest.call(projectPath(namespace, name), { method: 'DELETE' })
    return
  }
  const query = cascade === true ? { propagationPolicy: 'Foreground' } : {}
  const left = (await api.call(path, { method: 'DELETE', query })) as KubeObject
  if (force === true) await removeAgentFinalizer(api, path, left)
}

/** A cluster does not have this path. */
const isController = async (rest: RestClient): Promise<boolean> => {
  try {
    await rest.call('/projects', { query: { limit: '1' } })
    return true
  } catch (error) {
    if (isReason(error, 'NotFound') || isReason(error, 'Forbidden') || error instanceof NotStagely)
      return false
    throw error
  }
}

/** Removes the agent's finalizer only: other finalizers belong to other programs. */
const removeAgentFinalizer = async (
  api: KubeApi,
  path: string,
  answer: KubeObject,
): Promise<void> => {
  if (answer.kind !== 'Stagelet') return
  const { name, finalizers = [] } = answer.metadata
  if (!finalizers.includes(agentFinalizer)) return
  note(
    `warning: not waiting for the agent of stagelet "${name}": if its machine still runs, the containers run on there, without anybody who looks after them`,
  )
  const left = finalizers.filter((f) => f !== agentFinalizer)
  const body = { metadata: { finalizers: left.length === 0 ? null : left } }
  try {
    await api.call(path, { method: 'PATCH', body, contentType: mergePatch })
  } catch (error) {
    // The object is gone, or its agent has answered: then nothing need be forced.
    if (!isReason(error, 'NotFound')) throw error
  }
}

const byTarget = async (
  api: KubeApi,
  targets: ReturnType<typeof parseTargets>,
  flags: Flags,
): Promise<FollowRef[]> => {
  const doomed: FollowRef[] = []
  for (const { kind, names } of targets) {
    const found =
      names.length > 0
        ? names
        : (
            await listObjects(api, kind, { namespace: api.namespace, selector: flags.selector })
          ).map((object) => object.metadata.name)
    append(
      doomed,
      found.map((name) => ({ kind, namespace: api.namespace, name })),
    )
  }
  return inOrder(doomed)
}

const byFile = async (api: KubeApi, flags: Flags): Promise<FollowRef[]> => {
  const explicit = flags.namespace !== undefined
  const documents = await readManifests(flags.filename, { namespace: api.namespace, explicit })
  return inOrder(documents.map(({ object }) => doom(object)))
}

const doom = (object: KubeObject): FollowRef => ({
  kind: servedKind(object.kind),
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name,
})

/** Deletes dependent kinds first: stagelets, secrets, projects, namespaces. */
const inOrder = (doomed: FollowRef[]): FollowRef[] =>
  doomed.sort((a, b) => b.kind.applyOrder - a.kind.applyOrder)

const whyWaits = (finalizers: readonly string[]): string => {
  if (finalizers.length === 0) return ''
  const remedy = finalizers.includes(agentFinalizer)
    ? ' (its agent has to let go of it; where that machine never comes back: --force)'
    : ''
  return `: waits for ${finalizers.join(', ')}${remedy}`
}

const waitUntilGone = async (
  api: KubeApi,
  gone: readonly FollowRef[],
  timeoutMs: number,
): Promise<void> => {
  const signal = AbortSignal.timeout(timeoutMs)
  const late: string[] = []
  await Promise.all(
    gone.map(async ({ kind, namespace, name }) => {
      let finalizers: string[] = []
      let said = false
      const isGone = (object: KubeObject | undefined): boolean => {
        finalizers = object?.metadata.finalizers ?? []
        const isOver = object?.metadata.deletionTimestamp === undefined
        if (!isOver && !said) note(`${quotedName(kind, name)}${whyWaits(finalizers) || ': waits'}`)
        said = !isOver
        return isOver
      }
      try {
        await followObject(api, { kind, namespace, name }, isGone, { signal })
      } catch (error) {
        if (!isAbort(error)) throw error
        const why = whyWaits(finalizers)
        late.push(`${quotedName(kind, name)} is still there${why}`)
      }
    }),
  )
  if (late.length > 0) throw new CliError(`timed out:\n  ${late.join('\n  ')}`)
}
