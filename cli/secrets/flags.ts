// Flags that name secrets, with one meaning in every command of the group.
import type { Command } from 'commander'
import { newCommand, type CommonFlags } from '../options.ts'

export interface SecretFlags extends CommonFlags {
  readonly project?: string
  readonly scope?: string
  readonly stagelet?: string
}

export const secretCommand = (
  name: string,
  summary: string,
  examples: readonly string[],
): Command =>
  newCommand(name, summary, examples)
    .option('-p, --project <name>', 'project; may be left out where the namespace has just one')
    .option('-s, --scope <scope>', '"global" or one service')
    .option('--stagelet <name>', 'the secret of just this stagelet')
