// The table of all commands in docs/cli.md, made from the commands themselves.
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
