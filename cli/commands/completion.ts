// completion: a script for the shell, generated from the commands.
import { Argument, Command } from 'commander'
import { renderCompletion, shells, type Choice, type Shell } from '../completion.ts'
import { out } from '../print.ts'

/** `loadAll` returns every command, by the name on the command line. */
export const command = (
  loadAll: () => Promise<readonly Command[]> = () => Promise.resolve([]),
): Command =>
  new Command('completion')
    .description('Print a script that completes commands and flags.')
    .showHelpAfterError('(--help shows examples)')
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .addHelpText(
      'after',
      `
Examples:
  source <(stagely completion bash)
  stagely completion zsh > ~/.stagely.zsh      # and source it in ~/.zshrc
  stagely completion fish > ~/.config/fish/completions/stagely.fish`,
    )
    .action(async (shell: Shell) => {
      const commands = await loadAll()
      const top = { path: '', words: commands.map((each) => each.name()) }
      out(renderCompletion(shell, [top, ...commands.flatMap((each) => choicesOf(each, ''))]))
    })

const choicesOf = (command: Command, before: string): Choice[] => {
  const path = `${before}${command.name()}`
  const flags = command.options.filter((o) => !o.hidden).flatMap((o) => o.long ?? [])
  const children = command.commands.map((child) => child.name())
  return [
    { path, words: [...children, ...flags, '--help'] },
    ...command.commands.flatMap((child) => choicesOf(child, `${path} `)),
  ]
}
