// stagelet: puts off the end of a stagelet that has one (spec.ttl).
import { annotations } from '../../src/resources/meta.ts'
import { statusOf } from '../../src/kinds/typed.ts'
import { openApi } from '../connect/api.ts'
import { fullName, nameOf, servedKind } from '../output/kinds.ts'
import { newCommand, newGroup, parseLifetime, type Command, type CommonFlags } from '../options.ts'
import { out } from '../print.ts'
import { requestAction } from '../objects/objects.ts'

const examples = ['stagely stagelet extend pr-42', 'stagely stagelet extend pr-42 --for 48h']

export const command = (): Command =>
  newGroup(
    'stagelet',
    'Put off the end of stagelets. "stagely get stagelets" lists them.',
    examples,
  ).addCommand(extendCommand())

const extendCommand = (): Command =>
  newCommand('extend', 'Put off the end of a stagelet. The end never comes nearer.', examples)
    .argument('<name>', 'name of the stagelet')
    .option('--for <time>', 'how long it lives from now on; its spec.ttl by default', parseLifetime)
    .action(async (word: string, flags: CommonFlags & { for?: string }) => {
      const api = await openApi(flags)
      const kind = servedKind('Stagelet')
      const name = nameOf(kind, word)
      const details = flags.for === undefined ? [] : [flags.for]
      const { object } = await requestAction(api, { kind, name }, annotations.extend, details)
      out(`${fullName(kind, name)} ends at ${statusOf('Stagelet', object).endsAt ?? ''}`)
    })
