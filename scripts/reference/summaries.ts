// The lines of `stagely --help`, made from the commands themselves.
import type { Command } from 'commander'

/** The rest is said by the help of the command itself. */
const firstSentence = (text: string): string => /^.*?\.(?= |$)/.exec(text)?.[0] ?? text

/** `stagely --help` would load every command for its sentence, and take four times as long. */
export const renderSummaries = (commands: readonly Command[]): string =>
  [
    '// Generated from the commands by "npm run generate". Do not edit.',
    '/** The first sentence of each command, by its name. */',
    'export const summaries: Readonly<Record<string, string>> = {',
    ...commands.map(
      (command) =>
        `  ${JSON.stringify(command.name())}: ${JSON.stringify(firstSentence(command.description()))},`,
    ),
    '}',
    '',
  ].join('\n')
