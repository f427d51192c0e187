// Flags that name secrets, with one meaning in every command of the group.
import { InvalidArgumentError } from 'commander'
import { newCommand, type Command, type CommonFlags } from '../options.ts'

export interface SecretFlags extends CommonFlags {
  readonly project?: string
  readonly scope?: string
  readonly stagelet?: string
  readonly environment?: readonly string[]
}

/** `production,staging`; given again, the names are added. */
export const parseNames = (text: string, before: readonly string[] = []): string[] => {
  const names = text.split(',').map((name) => name.trim())
  if (names.includes('')) throw new InvalidArgumentError('use names with a comma between them.')
  return [...new Set([...before, ...names])]
}

export const projectOption = [
  '-p, --project <name>',
  'project; may be left out where the namespace has just one, or just one has the key',
] as const

export const withSecretFlags = (command: Command): Command =>
  command
    .option(...projectOption)
    .option('-s, --scope <scope>', '"global" or one service')
    .option('--stagelet <name>', 'the secret of just this stagelet')
    .option(
      '--environment <names>',
      'the secret of just these environments, such as production,staging',
      parseNames,
    )

export const secretCommand = (
  usage: string,
  summary: string,
  examples: readonly string[],
): Command => withSecretFlags(newCommand(usage, summary, examples))

export const parseNumber = (text: string): number => {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('use a whole number.')
  return Number(text)
}
