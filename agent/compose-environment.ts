// The environment of the Compose process: a small base, and the global secrets for `${VAR}`.
import { isGuarded, type Environment } from '../src/compose/environment.ts'
import { isPassable } from './validate-values.ts'

const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/

/** `base` plus the global secrets that may satisfy `${VAR}`. What a process cannot carry is left out. */
export const composeEnvironment = (
  base: Environment,
  globals: readonly { readonly key: string; readonly value: Buffer }[],
): Environment => {
  const result: Record<string, string> = { ...base }
  for (const { key, value } of globals) {
    if (!shellName.test(key) || isGuarded(key) || key in base) continue
    if (isPassable(key, value)) result[key] = value.toString('utf8')
  }
  return result
}
