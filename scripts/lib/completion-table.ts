// What completes the words of each command (cli/generated/completion-table.ts), made from the commands themselves.
import type { Command, Option } from 'commander'
import type { CompletedCommand } from '../../cli/completed-command.ts'

/** By the name of an argument, the names that it takes; `NAME` is of the group's kind. */
const byArgument: Readonly<Record<string, string>> = {
  kind: 'kind',
  stagelet: 'Stagelet',
  key: 'key',
  keys: 'key',
  target: 'target',
  project: 'Project',
  context: 'context',
}

const byGroup: Readonly<Record<string, string>> = {
  stagelet: 'Stagelet',
  stores: 'SecretStore',
  rotation: 'Rotation',
  notifiers: 'Notifier',
  access: 'AccessRequest',
  agent: 'Agent',
  context: 'context',
}

const flagsOf = ({ long, short }: Option): string[] => [long, short].flatMap((flag) => flag ?? [])

/** The rest is said by the help of the command itself. */
const firstSentence = (text: string): string => /^.*?\.(?= |$)/.exec(text)?.[0] ?? text

const commandAt = (command: Command, path: string): CompletedCommand => {
  const options = command.options.filter((option) => !option.hidden)
  const words = [...command.commands.map((child) => child.name()), ...options.map((o) => o.long!)]
  const names = command.registeredArguments.map(
    (argument) =>
      byArgument[argument.name()] ??
      (argument.name() === 'name' ? byGroup[path.split(' ')[0]!] : undefined) ??
      '',
  )
  const valued = options.filter((option) => option.required).flatMap(flagsOf)
  const choices = options.flatMap((option) =>
    flagsOf(option).map((flag) => [flag, option.argChoices] as const),
  )
  const known = choices.filter(([, list]) => list !== undefined)
  return {
    // `stagely --help` would load every command for its sentence, and take four times as long.
    ...(!path.includes(' ') && { summary: firstSentence(command.description()) }),
    path,
    words: [...words, '--help'].join(' '),
    ...(names.some((name) => name !== '') && { names }),
    ...(command.registeredArguments.at(-1)?.variadic === true && { more: true as const }),
    ...(valued.length > 0 && { valued: valued.join(' ') }),
    ...(known.length > 0 && { choices: Object.fromEntries(known) as Record<string, string[]> }),
  }
}

const walk = (command: Command, before: string): CompletedCommand[] => {
  const path = `${before}${command.name()}`
  return [commandAt(command, path), ...command.commands.flatMap((child) => walk(child, `${path} `))]
}

export const renderCompletionTable = (commands: readonly Command[]): string => {
  const top = { path: '', words: commands.map((command) => command.name()).join(' ') }
  const rows = [top, ...commands.flatMap((command) => walk(command, ''))]
  return [
    '// Generated from the commands by "npm run generate". Do not edit.',
    "import type { CompletedCommand } from '../completed-command.ts'",
    '',
    'export const completionTable: readonly CompletedCommand[] = [',
    ...rows.map((row) => `  ${JSON.stringify(row)},`),
    ']',
    '',
  ].join('\n')
}
