// adopt: takes an object over from its folder or cluster, so that the API may change it; or releases it
// to the source that declares it.
import { openClient } from '../connect/client.ts'
import { annotations } from '../../src/resources/meta.ts'
import { usageError } from '../errors.ts'
import { fullName, parseTargets } from '../output/kinds.ts'
import { newCommand, type Command, type CommonFlags } from '../options.ts'
import { mergePatchObject } from '../objects/objects.ts'
import { out } from '../print.ts'

export const command = (): Command =>
  newCommand(
    'adopt',
    'Take over objects from a folder of manifests or a cluster: the API owns them from then on.',
    [
      'stagely admin adopt secret stripe-secret-key.backend',
      'stagely admin adopt stagelet/shop project/shop',
      'stagely admin adopt project/shop --release    # to the folder or cluster that declares it',
    ],
  )
    .argument('<kind...>', 'KIND NAME... or KIND/NAME...')
    .option(
      '--release',
      'release them instead: the first folder or cluster that declares them owns them',
    )
    .action(adopt)

interface Flags extends CommonFlags {
  readonly release?: boolean
}

const adopt = async (words: string[], flags: Flags): Promise<void> => {
  const targets = parseTargets(words)
  if (targets.some(({ names }) => names.length === 0)) throw usageError('name the objects')
  const { api } = await openClient(flags)
  const release = flags.release === true
  const source = release ? 'system' : 'api'
  const body = { metadata: { annotations: { [annotations.source]: source } } }
  for (const { kind, names } of targets) {
    for (const name of names) {
      await mergePatchObject(api, { kind, name }, body)
      out(`${fullName(kind, name)} ${release ? 'released' : 'adopted'}`)
    }
  }
}
