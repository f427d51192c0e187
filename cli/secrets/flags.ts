// Flags that name secrets, with one meaning in every command of the group.
import { InvalidArgumentError, type Command } from 'commander'
import { newCommand, type CommonFlags } from '../options.ts'

export interface SecretFlags extends CommonFlags {
  readonly project?: string
  readonly scope?: string
  readonly stagelet?: string
}

export const withSecretFlags = (command: Command): Command =>
  command
    .option('-p, --project <name>', 'project; may be left out where the namespace has just one')
    .option('-s, --scope <scope>', '"global" or one service')
    .option('--stagelet <name>', 'the secret of just this stagelet')

export const secretCommand = (
  usage: string,
  summary: string,
  examples: readonly string[],
): Command => withSecretFlags(newCommand(usage, summary, examples))

export const parseNumber = (text: string): number => {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('use a whole number.')
  return Number(text)
}
