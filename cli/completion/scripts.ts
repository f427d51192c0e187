// The scripts that complete `stagely` in a shell. Each asks `stagely __complete`, which knows the words.
import { out } from '../print.ts'

const bash = `_stagely() {
  local IFS=$'\\n'
  COMPREPLY=($(command stagely __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _stagely stagely
`

// Also a file of $fpath, which zsh runs as the function itself when the first word is completed.
const zsh = `#compdef stagely
_stagely() {
  local -a found
  found=("\${(@f)$(command stagely __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -- "\${found[@]}"; else _files; fi
}
if [[ "\${funcstack[1]}" = _stagely ]]; then
  _stagely
else
  (( \${+functions[compdef]} )) || { autoload -Uz compinit && compinit -i; }
  compdef _stagely stagely
fi
`

const fish = `function __fish_stagely
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l found (command stagely __complete $words[2..] "$current" 2>/dev/null)
  if set -q found[1]
    printf '%s\\n' $found
  else
    __fish_complete_path "$current"
  end
end
complete -c stagely -f -a '(__fish_stagely)'
`

const scripts = { bash, zsh, fish }

export type Shell = keyof typeof scripts
export const shells = Object.keys(scripts) as readonly Shell[]

export const isShell = (word: string | undefined): word is Shell =>
  word !== undefined && Object.hasOwn(scripts, word)

export const printScript = (shell: Shell): void => out(scripts[shell])
