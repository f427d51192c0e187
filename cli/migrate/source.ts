// What another tool holds of one stack: its variables, and its compose file where the tool has it.
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
