// apply: everything is checked first, here and by the server; then written as one change set.
import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import { applyPatch, withLastApplied } from '../../src/manifests/merge.ts'
import type { ManifestDocument } from '../../src/manifests/parse.ts'
import type { ReviewStatus } from '../../src/manifests/review.ts'
import { isReason } from '../../src/kernel/errors.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { mergePatch, pathOf, type Api } from '../api.ts'
import { fullName, kindOf } from '../kinds.ts'
import { findObject } from '../objects.ts'
import { fileOption, newCommand, openApi, parseWait, type CommonFlags } from '../options.ts'
import { out } from '../print.ts'
import { readManifests } from '../read-manifests.ts'
import { reviewDocuments } from '../review.ts'
import { waitForStagelets, type StageletName } from '../wait-in-sync.ts'

interface Flags extends CommonFlags {
  readonly dryRun?: boolean
  readonly wait?: boolean | string
}

export const command = (): Command =>
  newCommand('apply', 'Create or update everything in files, as one change set.', [
    'stagely apply -f shop.yaml',
    'stagely apply -f manifests/ --wait=5m',
    'stagely apply -f - < shop.yaml',
    'stagely apply -f shop.yaml --dry-run',
  ])
    .addOption(fileOption())
    .option('--dry-run', 'check everything and say what would happen; change nothing')
    .option(
      '--wait [timeout]',
      'wait until the affected stagelets are in sync (2m when no time is given)',
    )
    .action(apply)

const apply = async (flags: Flags): Promise<void> => {
  const timeoutMs = parseWait(flags.wait, 120_000)
  const api = await openApi(flags)
  const documents = await readManifests(flags.filename, {
    namespace: api.namespace,
    explicit: flags.namespace !== undefined,
  })
  const review = await reviewDocuments(api, documents)
  if (flags.dryRun === true) {
    const words = { Create: 'created', Update: 'configured', Unchanged: 'unchanged' }
    for (const change of review.changes) {
      out(`${fullName(kindOf(change.kind), change.name)} ${words[change.action]} (dry run)`)
    }
    return
  }
  const ordered = documents
    .map((document) => ({ document, kind: kindOf(document.object.kind) }))
    .sort((a, b) => a.kind.applyOrder - b.kind.applyOrder)
  const id = randomUUID()
  for (const [index, { document, kind }] of ordered.entries()) {
    const last = index === ordered.length - 1
    const header = { 'Stagely-Change-Set': `${id}; last=${last}` }
    const done = await applyOne(api, document.object, header)
    out(`${fullName(kind, document.object.metadata.name)} ${done}`)
  }
  if (timeoutMs !== undefined) await waitForStagelets(api, affectedBy(review, documents), timeoutMs)
}

/** The stagelets that the review names, and those that are in the files themselves. */
const affectedBy = (
  review: ReviewStatus,
  documents: readonly ManifestDocument[],
): StageletName[] => {
  const names = new Map<string, StageletName>()
  const add = (namespace: string, name: string): void => {
    names.set(`${namespace}/${name}`, { namespace, name })
  }
  for (const { namespace, stagelet } of review.affected) add(namespace, stagelet)
  for (const { object } of documents) {
    if (object.kind === 'Stagelet') add(object.metadata.namespace ?? '', object.metadata.name)
  }
  return [...names.values()]
}

/**
 * Writes one object by the three-way merge. The write is sent even where nothing differs if it
 * carries the end of the change set: the server keeps the resourceVersion and closes the set.
 */
const applyOne = async (
  api: Api,
  manifest: KubeObject,
  headers: Record<string, string>,
): Promise<'created' | 'configured' | 'unchanged'> => {
  const kind = kindOf(manifest.kind)
  const namespace = manifest.metadata.namespace ?? ''
  const query = { fieldManager: 'stagely', fieldValidation: 'Strict' }
  for (let attempt = 0; ; attempt++) {
    const live = await findObject(api, kind, namespace, manifest.metadata.name)
    try {
      if (live === undefined) {
        const path = pathOf(kind, kind.namespaced ? namespace : undefined)
        await api.call(path, { method: 'POST', query, headers, body: withLastApplied(manifest) })
        return 'created'
      }
      const patch = applyPatch(manifest, live)
      const closes = headers['Stagely-Change-Set']?.endsWith('last=true') === true
      if (Object.keys(patch).length === 0 && !closes) return 'unchanged'
      const path = pathOf(kind, kind.namespaced ? namespace : undefined, manifest.metadata.name)
      const call = {
        method: 'PATCH',
        query,
        headers,
        body: patch,
        contentType: mergePatch,
      } as const
      const after = (await api.call(path, call)) as KubeObject
      const moved = after.metadata.resourceVersion !== live.metadata.resourceVersion
      return moved ? 'configured' : 'unchanged'
    } catch (error) {
      // Somebody was faster between the read and the write: look again, as kubectl does.
      const raced = isReason(error, 'AlreadyExists') || isReason(error, 'Conflict')
      if (!raced || attempt >= 4) throw error
    }
  }
}
