// apply: checks everything first, here and on the server; then writes one change set.
import { openClient } from '../connect/client.ts'
import type { ManifestDocument } from '../../src/manifests/parse.ts'
import type { ReviewStatus, WidenedKey } from '../../src/manifests/review.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { applyObjects } from '../apply/apply-objects.ts'
import {
  newCommand,
  noteHeaders,
  waitOf,
  type Command,
  type CommonFlags,
  type WaitFlags,
} from '../options.ts'
import { out } from '../print.ts'
import { readManifests } from '../apply/read-manifests.ts'
import { renderDryRun } from '../apply/dry-run.ts'
import { confirmWidened } from '../apply/reach.ts'
import { reviewDocuments } from '../apply/review.ts'
import { waitForSync, type StageletName } from '../wait/wait-in-sync.ts'

interface Flags extends CommonFlags, WaitFlags {
  readonly dryRun?: boolean
  readonly note?: string
  readonly yes?: boolean
}

export const command = (): Command =>
  newCommand('apply -m -f', 'Create or update everything in files, as one change set.', [
    'stagely apply -f shop.yaml',
    'stagely apply -f manifests/ --wait=5m',
    'stagely apply -f - < shop.yaml',
    'stagely apply -f shop.yaml --dry-run',
  ])
    .waiting('the affected stagelets are in sync')
    .option('-y, --yes', 'do not ask where a key would go to more services')
    .option('--dry-run', 'check everything and say what would happen; change nothing')
    .action(apply)

const apply = async (flags: Flags): Promise<void> => {
  const timeoutMs = waitOf(flags)
  const { api } = await openClient(flags)
  const documents = await readManifests(flags.filename, {
    namespace: api.namespace,
    explicit: flags.namespace !== undefined,
  })
  const review = await reviewDocuments(api, documents)
  const objects = documents.map((d) => d.object)
  if (flags.dryRun === true) {
    out(renderDryRun(review, objects))
    return
  }
  await confirmWidened(review, (widening) => isScopeSaid(objects, widening), flags.yes)
  await applyObjects(api, objects, noteHeaders(flags))
  if (timeoutMs !== undefined) await waitForSync(api, affectedBy(review, documents), timeoutMs)
}

const isScopeSaid = (objects: readonly KubeObject[], widening: WidenedKey): boolean =>
  objects.some(
    ({ kind, metadata, spec }) =>
      kind === 'StagelySecret' &&
      metadata.name === widening.secret &&
      metadata.namespace === widening.namespace &&
      spec?.['scope'] !== undefined,
  )

/** The stagelets in the review, and those in the files. */
const affectedBy = (
  review: ReviewStatus,
  documents: readonly ManifestDocument[],
): StageletName[] => {
  const names = new Map<string, StageletName>()
  const add = (namespace: string, name: string): void => {
    names.set(`${namespace}/${name}`, { namespace, name })
  }
  for (const { namespace, stagelet } of [...review.affected, ...(review.held ?? [])])
    add(namespace, stagelet)
  for (const { object } of documents) {
    if (object.kind === 'Stagelet') add(object.metadata.namespace ?? '', object.metadata.name)
  }
  return [...names.values()]
}
