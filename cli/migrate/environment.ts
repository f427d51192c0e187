// Variables of this process: tools that run a command with their secrets (`doppler run`, `infisical run`,
// `sops exec-env`, `op run`) hand them over so.
import { isGuarded } from '../../src/compose/environment.ts'

export interface StackSource {
  /** For messages: `Portainer`. */
  readonly name: string
  /** Values of `${VAR}`. They are in memory only. Compose is started with them: none steers Compose, Docker or the loader. */
  readonly variables: ReadonlyMap<string, string>
  readonly composeFile?: string
}

/** The only maker of a source: what another tool says never reaches a program under a name that steers it. */
export const makeSource = (
  name: string,
  variables: Iterable<readonly [string, string]>,
  composeFile?: unknown,
): StackSource => ({
  name,
  variables: new Map([...variables].filter(([variable]) => !isGuarded(variable))),
  ...(typeof composeFile === 'string' && composeFile !== '' && { composeFile }),
})

/** What a shell or a login sets; no tool for secrets does. */
const ofShell = /^(LANG|LC_.*|LOGNAME|HOSTNAME|TERM|SHLVL|OLDPWD|UID|EDITOR|PAGER|STAGELY_.*|_)$/

export const sourceOfEnvironment = (env: Readonly<Record<string, string>>): StackSource =>
  makeSource(
    'environment',
    Object.entries(env).filter(([name]) => !ofShell.test(name)),
  )
