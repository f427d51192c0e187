// get: lists objects, or shows some.
import { get } from '../objects/get.ts'
import { newCommand, type Command, type ObjectFlags } from '../options.ts'

export const command = (): Command =>
  newCommand('get -A -l -o=objects', 'List objects, or show some as a table, YAML or JSON.', [
    'stagely get stagelets',
    'stagely get stagelets,secrets -A',
    'stagely get stagelet shop -o yaml',
    'stagely get stagely -l team=web -o wide',
    'stagely get stagelets -w',
    "stagely get stagelet shop -o jsonpath='{.status.revision}'",
  ])
    .argument('<kind...>', 'KIND[,KIND] [NAME...], or KIND/NAME...; "stagely" is every kind')
    .option('-w, --watch', 'go on with each change of a kind, until it is stopped')
    .action(async (words: string[], flags: ObjectFlags & { watch?: boolean }) =>
      flags.watch === true
        ? (await import('../objects/watch.ts')).watchTargets(words, flags)
        : get(words, flags),
    )
