// Completion scripts: the words that may follow others, in a shell's own language.

export interface Choice {
  /** Words after `stagely`, such as `secrets set`; empty: the top level. */
  readonly path: string
  /** Subcommands and flags. */
  readonly words: readonly string[]
}

const bash = (choices: readonly Choice[]): string => `_stagely() {
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

const fish = (choices: readonly Choice[]): string =>
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
  zsh: (choices: readonly Choice[]) =>
    `autoload -U +X bashcompinit && bashcompinit\n${bash(choices)}`,
  fish: (choices: readonly Choice[]) => fishHelper + fish(choices),
}

export type Shell = keyof typeof scripts
export const shells = Object.keys(scripts) as Shell[]

export const renderCompletion = (shell: Shell, choices: readonly Choice[]): string =>
  scripts[shell](choices)
