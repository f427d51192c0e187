// Variables of this process: tools that run a command with their secrets (`doppler run`, `infisical run`,
// `sops exec-env`, `op run`) hand them over so.
import { makeSource, type StackSource } from './source.ts'

/** What a shell or a login sets; no tool for secrets does. */
const ofShell = /^(LANG|LC_.*|LOGNAME|HOSTNAME|TERM|SHLVL|OLDPWD|UID|EDITOR|PAGER|STAGELY_.*|_)$/

export const sourceOfEnvironment = (env: Readonly<Record<string, string>>): StackSource =>
  makeSource(
    'environment',
    Object.entries(env).filter(([name]) => !ofShell.test(name)),
  )
