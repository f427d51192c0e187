// The table of all commands in docs/cli.md, and the lines of `stagely --help`, made from the commands themselves.
import type { Command } from 'commander'

const start = '<!-- Generated from the commands by "npm run generate". Do not edit below. -->'

const usageOf = (command: Command, path: string): string => {
  const words = command.registeredArguments.map((argument) => {
    const name = argument.name().toUpperCase() + (argument.variadic ? '…' : '')
    return argument.required ? name : `[${name}]`
  })
  return [path, ...words].join(' ')
}

const rowsOf = (command: Command, before: string): string[] => {
  const path = `${before}${command.name()}`
  return command.commands.length > 0
    ? command.commands.flatMap((child) => rowsOf(child, `${path} `))
    : [`| \`${usageOf(command, path)}\` | ${command.description().replaceAll('|', '\\|')} |`]
}

/** The page, with the rows of these commands below the mark. */
export const withCommandTable = (page: string, commands: readonly Command[]): string => {
  const at = page.indexOf(start)
  if (at === -1) throw new Error('docs/cli.md has no mark for the table of commands')
  const rows = commands.flatMap((command) => rowsOf(command, ''))
  return [
    page.slice(0, at) + start,
    '',
    '| command | what it does |',
    '|---|---|',
    ...rows,
    '',
  ].join('\n')
}

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
