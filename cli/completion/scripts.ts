// The scripts that complete `stagely` in a shell: commands and flags by themselves, names by `stagely complete`.
import { out } from '../print.ts'
import type { CompletedCommand } from './completed-command.ts'

const bash = (table: readonly CompletedCommand[]): string => `_stagely_words() {
  case "$1" in
${table.map(({ path, words }) => `    "${path}") words="${words}" ;;`).join('\n')}
    *) return 1 ;;
  esac
}
_stagely() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" path="" word words=""
  local -a before=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
  _stagely_words ""
  for word in "\${before[@]}"; do
    case "$word" in -*) ;; *) _stagely_words "\${path:+$path }$word" && path="\${path:+$path }$word" ;; esac
  done
  if [ "\${cur#-}" = "$cur" ]; then
    local names="" commands=""
    [ -n "$path" ] && names="$(command stagely complete "\${before[@]}" 2>/dev/null)"
    for word in $words; do
      case "$word" in -*) ;; *) commands="$commands $word" ;; esac
    done
    case "$names/\${COMP_WORDS[COMP_CWORD-1]}" in
      /*) words="$commands" ;;
      */-*) words="$names" ;;
      *) words="$commands $names" ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _stagely stagely
`

const fish = (table: readonly CompletedCommand[]): string =>
  `function __fish_stagely_at
  set -l words (commandline -opc)[2..-1]
  string match -q -- $argv[1] (string join " " (string match -v -- "-*" $words))
end
complete -c stagely -f -a '(stagely complete (commandline -opc)[2..-1] 2>/dev/null)'
${table
  .map(({ path, words }) => `complete -c stagely -f -n '__fish_stagely_at "${path}"' -a '${words}'`)
  .join('\n')}
`

const scripts = {
  bash,
  zsh: (table: readonly CompletedCommand[]) =>
    `autoload -U +X bashcompinit && bashcompinit\n${bash(table)}`,
  fish,
}

export type Shell = keyof typeof scripts
export const shells = Object.keys(scripts) as readonly Shell[]

export const isShell = (word: string | undefined): word is Shell =>
  word !== undefined && Object.hasOwn(scripts, word)

export const printScript = async (shell: Shell): Promise<void> => {
  const { completionTable } = await import('./table.ts')
  out(scripts[shell](completionTable))
}
