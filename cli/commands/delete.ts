// delete: by name, by label or by file; waits until the objects are really gone.
import type { Command } from 'commander'
import { Option } from 'commander'
import { isAbort, isReason } from '../../src/kernel/errors.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { Kind } from '../../src/resources/registry.ts'
import { pathOf, type Api } from '../api.ts'
import { CliError, usageError } from '../errors.ts'
import { kindOf, parseTargets, quotedName } from '../kinds.ts'
import { followObject, listObjects } from '../objects.ts'
import {
  fileOption,
  newCommand,
  openApi,
  parseDuration,
  parseWait,
  selectorOption,
  type CommonFlags,
} from '../options.ts'
import { note, out } from '../print.ts'
import { readManifests } from '../read-manifests.ts'

interface Flags extends CommonFlags {
  readonly all?: boolean
  readonly wait: boolean | string
  readonly timeout: number
  readonly ignoreNotFound?: boolean
}

interface Doomed {
  readonly kind: Kind
  readonly namespace: string
  readonly name: string
}

export const command = (): Command =>
  newCommand('delete', 'Delete objects and wait until they are gone.', [
    'stagely delete secret stripe-secret-key.backend',
    'stagely delete -f shop.yaml',
    'stagely delete stagelets -l team=web --wait=false',
  ])
    .argument('[kind...]', 'KIND NAME... or KIND/NAME...')
    .addOption(fileOption())
    .addOption(selectorOption())
    .option('--all', 'every object of the kind in the namespace')
    .addOption(
      new Option('--wait [yes]', 'wait until they are gone; --wait=false returns at once').default(
        'true',
      ),
    )
    .option('--timeout <time>', 'how long to wait', parseDuration, 120_000)
    .option('--ignore-not-found', 'what is not there counts as deleted')
    .action(remove)

const remove = async (words: string[], flags: Flags): Promise<void> => {
  const waits = parseWait(flags.wait, flags.timeout) !== undefined
  if (words.length === 0 && flags.filename === undefined)
    throw usageError('name objects, or give -f')
  if (words.length > 0 && flags.filename !== undefined)
    throw usageError('give names or -f, not both')
  const targets = words.length > 0 ? parseTargets(words) : []
  for (const { names } of targets) {
    const wide = flags.all === true || flags.selector !== undefined
    if (names.length === 0 && !wide) throw usageError('give names, -l or --all')
    if (names.length > 0 && wide) throw usageError('give names, or -l or --all, not both')
  }
  const api = await openApi(flags)
  const doomed = targets.length > 0 ? await byTarget(api, targets, flags) : await byFile(api, flags)
  const gone: Doomed[] = []
  const failures: unknown[] = []
  for (const one of doomed) {
    try {
      await api.call(pathOf(one.kind, one.kind.namespaced ? one.namespace : undefined, one.name), {
        method: 'DELETE',
      })
      out(`${quotedName(one.kind, one.name)} deleted`)
      gone.push(one)
    } catch (error) {
      if (isReason(error, 'NotFound') && flags.ignoreNotFound === true) continue
      failures.push(error)
    }
  }
  if (waits) await waitUntilGone(api, gone, flags.timeout)
  if (failures.length > 0) throw failures[0]
  if (doomed.length === 0) note('No resources found')
}

const byTarget = async (
  api: Api,
  targets: ReturnType<typeof parseTargets>,
  flags: Flags,
): Promise<Doomed[]> => {
  const doomed: Doomed[] = []
  for (const { kind, names } of targets) {
    const found =
      names.length > 0
        ? names
        : (
            await listObjects(api, kind, { namespace: api.namespace, selector: flags.selector })
          ).map((object) => object.metadata.name)
    doomed.push(...found.map((name) => ({ kind, namespace: api.namespace, name })))
  }
  return inOrder(doomed)
}

const byFile = async (api: Api, flags: Flags): Promise<Doomed[]> => {
  const explicit = flags.namespace !== undefined
  const documents = await readManifests(flags.filename, { namespace: api.namespace, explicit })
  return inOrder(documents.map(({ object }) => doom(object)))
}

const doom = (object: KubeObject): Doomed => ({
  kind: kindOf(object.kind),
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name,
})

/** What depends on others goes first: stagelets, secrets, projects, namespaces. */
const inOrder = (doomed: Doomed[]): Doomed[] =>
  doomed.sort((a, b) => b.kind.applyOrder - a.kind.applyOrder)

const waitUntilGone = async (
  api: Api,
  gone: readonly Doomed[],
  timeoutMs: number,
): Promise<void> => {
  const signal = AbortSignal.timeout(timeoutMs)
  const late: string[] = []
  await Promise.all(
    gone.map(async ({ kind, namespace, name }) => {
      let finalizers: string[] = []
      const isGone = (object: KubeObject | undefined): boolean => {
        finalizers = object?.metadata.finalizers ?? []
        return object?.metadata.deletionTimestamp === undefined
      }
      try {
        await followObject(api, kind, { namespace, name }, isGone, signal)
      } catch (error) {
        if (!isAbort(error)) throw error
        const why = finalizers.length === 0 ? '' : `: waits for ${finalizers.join(', ')}`
        late.push(`${quotedName(kind, name)} is still there${why}`)
      }
    }),
  )
  if (late.length > 0) throw new CliError(`timed out:\n  ${late.join('\n  ')}`)
}
