// The page of all commands, made of their own help.
import type { Command } from 'commander'
import { runController } from '../../controller/main.ts'
import { installAgent } from '../../agent/machine/install.ts'
import { leaveController } from '../../agent/machine/leave.ts'
import { runAgent } from '../../agent/main.ts'
import { runDoctor } from '../../agent/machine/doctor.ts'
import { uninstallAgent } from '../../agent/machine/uninstall.ts'
import { generatedMark } from './mark.ts'

/** Programs that parse their own flags, and print their own help. */
const programs: Readonly<Record<string, () => Promise<number>>> = {
  controller: () => runController(['--help']),
  'controller install': () => runController(['install', '--help']),
  'controller uninstall': () => runController(['uninstall', '--help']),
  'controller backup': () => runController(['backup', '--help']),
  'controller break-glass': () => runController(['break-glass', '--help']),
  restore: () => runController(['restore', '--help']),
  'agent run': () => runAgent(['--help']),
  'agent install': () => installAgent(['--help']),
  'agent doctor': () => runDoctor(['--help']),
  'agent leave': () => leaveController(['--help']),
  'agent uninstall': () => uninstallAgent(['--help']),
}

const printedBy = async (program: () => Promise<number>): Promise<string> => {
  const write = process.stdout.write.bind(process.stdout)
  let text = ''
  process.stdout.write = (part: string) => (text += part) !== ''
  try {
    await program()
  } finally {
    process.stdout.write = write
  }
  return text
}

/** Said once, at the top. */
const ofMany = new Set(['--help', '--namespace', '--context', '--kubeconfig'])

/** Below its heading: the heading names the command, and the text says what it is for. */
const helpOf = (command: Command): string => {
  let text = ''
  command
    .description('')
    .configureHelp({
      visibleOptions: ({ options }) =>
        options.filter((o) => !o.hidden && !ofMany.has(o.long ?? '')),
    })
    .configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 100 })
  command.outputHelp()
  return text
}

const section = (path: string, about: string, help: string): string =>
  `## ${path}\n\n${about}\n\n\`\`\`text\n${help.trim()}\n\`\`\`\n`

const leavesOf = (command: Command): [path: string, command: Command][] => {
  const below = command.commands.flatMap(leavesOf)
  // A group does nothing by itself.
  if (below.length > 0 && command.registeredArguments.length === 0) return below
  return [[pathOf(command).replace(/^stagely /, ''), command], ...below]
}

const pathOf = (command: Command): string =>
  [...(command.parent === null ? [] : [pathOf(command.parent)]), command.name()].join(' ')

export const renderCommands = async (commands: readonly Command[]): Promise<string> => {
  const sections = new Map<string, string>()
  for (const [path, program] of Object.entries(programs)) {
    const help = await printedBy(program)
    if (help === '') throw new Error(`stagely ${path} --help prints nothing`)
    sections.set(path, section(path, '', help).replace('\n\n\n', '\n\n'))
  }
  for (const command of commands) command.name(`stagely ${command.name()}`)
  for (const [path, command] of commands.flatMap(leavesOf)) {
    const about = command.description()
    if (!sections.has(path)) sections.set(path, section(path, about, helpOf(command)))
  }
  const all = [...sections].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text)
  return `# Commands

${generatedMark('the help of the commands')}

Every command, with what \`--help\` says of it. How they work together: [the command line](../cli.md).

Commands that ask a controller also take \`-n\` or \`--namespace NAME\` (the team), \`--context NAME\` (a stored login) and \`--kubeconfig FILE\`. All take \`-h\` or \`--help\`.

${all.join('\n')}`
}
