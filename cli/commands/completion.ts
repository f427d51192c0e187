// completion: a script for the shell, generated from the commands.
import { Argument, Command } from 'commander'
import { out } from '../print.ts'

interface CompletionChoice {
  /** Words after `stagely`, such as `secrets set`; empty: the top level. */
  readonly path: string
  /** Subcommands and flags. */
  readonly words: readonly string[]
}

const bash = (choices: readonly CompletionChoice[]): string => `_stagely() {
  local path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  while :; do
    case "$path" in
${choices.map(({ path, words }) => `      "${path}") words="${words.join(' ')}"; break ;;`).join('\n')}
    esac
    case "$path" in *" "*) path="\${path% *}" ;; *) return ;; esac
  done
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _stagely stagely
`

const fish = (choices: readonly CompletionChoice[]): string =>
  choices
    .map(({ path, words }) => {
      const isHere = `__fish_stagely_at "${path}"`
      return `complete -c stagely -f -n '${isHere}' -a '${words.join(' ')}'\n`
    })
    .join('')

const fishHelper = `function __fish_stagely_at
  set -l words (commandline -opc)[2..-1]
  string match -q -- $argv[1] (string join " " (string match -v -- "-*" $words))
end
`

const scripts = {
  bash,
  zsh: (choices: readonly CompletionChoice[]) =>
    `autoload -U +X bashcompinit && bashcompinit\n${bash(choices)}`,
  fish: (choices: readonly CompletionChoice[]) => fishHelper + fish(choices),
}

type Shell = keyof typeof scripts
const shells = Object.keys(scripts) as Shell[]

const renderCompletion = (shell: Shell, choices: readonly CompletionChoice[]): string =>
  scripts[shell](choices)

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

const choicesOf = (command: Command, before: string): CompletionChoice[] => {
  const path = `${before}${command.name()}`
  const flags = command.options.filter((o) => !o.hidden).flatMap((o) => o.long ?? [])
  const children = command.commands.map((child) => child.name())
  return [
    { path, words: [...children, ...flags, '--help'] },
    ...command.commands.flatMap((child) => choicesOf(child, `${path} `)),
  ]
}
