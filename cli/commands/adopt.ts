// adopt: takes an object over from the folder that owned it, so that the API may change it.
import type { Command } from 'commander'
import { annotations } from '../../src/resources/meta.ts'
import { mergePatch, pathOf } from '../api.ts'
import { usageError } from '../errors.ts'
import { fullName, parseTargets } from '../kinds.ts'
import { newCommand, openApi, type CommonFlags } from '../options.ts'
import { out } from '../print.ts'

export const command = (): Command =>
  newCommand('adopt', 'Take objects over from a folder of manifests, so that the API owns them.', [
    'stagely adopt secret stripe-secret-key.backend',
    'stagely adopt stagelet/shop project/shop',
  ])
    .argument('<kind...>', 'KIND NAME... or KIND/NAME...')
    .action(adopt)

const adopt = async (words: string[], flags: CommonFlags): Promise<void> => {
  const targets = parseTargets(words)
  if (targets.some(({ names }) => names.length === 0)) throw usageError('name the objects to adopt')
  const api = await openApi(flags)
  const body = { metadata: { annotations: { [annotations.source]: 'api' } } }
  for (const { kind, names } of targets) {
    for (const name of names) {
      const path = pathOf(kind, kind.namespaced ? api.namespace : undefined, name)
      await api.call(path, { method: 'PATCH', body, contentType: mergePatch })
      out(`${fullName(kind, name)} adopted`)
    }
  }
}
