// completion: a script for the shell. `cli/main.ts` answers without this file where nothing is wrong with the words.
import { Command } from '../options.ts'
import { Argument } from 'commander'
import { printScript, shells, type Shell } from '../completion/scripts.ts'

export const command = (): Command =>
  new Command('completion')
    .description('Print a script that completes commands, flags and names.')
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
    .action((shell: Shell) => {
      printScript(shell)
    })
