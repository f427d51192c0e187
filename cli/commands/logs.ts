// logs: output of a stagelet's containers. The agent masks the secrets before anything leaves the
// machine.
import { nameOf, servedKind } from '../output/kinds.ts'
import { newCommand, type Command } from '../options.ts'
import { logsOptions, showLogs, type LogsFlags } from '../logs.ts'

export const command = (): Command =>
  logsOptions(
    newCommand(
      'logs',
      'Show the logs of a stagelet’s containers, with secrets hidden. Lines that a container wrote to stderr go to stderr.',
      [
        'stagely logs shop',
        'stagely logs shop -f --service backend',
        'stagely logs shop --since 10m -t',
        'stagely logs shop --tail all -o json > shop.jsonl',
      ],
    ).argument('<stagelet>', 'name of the stagelet'),
  ).action((word: string, flags: LogsFlags) =>
    showLogs(nameOf(servedKind('Stagelet'), word), flags),
  )
