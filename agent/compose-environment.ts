// The environment of the Compose process: a small base, and those global secrets that fill `${VAR}`.
import { isGuarded, type Environment } from '../src/compose/environment.ts'
import { isPassable } from './validate-values.ts'
import type { ComposeCall } from '../src/compose/compose.ts'
import { hideFragments } from '../src/masking/fragments.ts'
import type { ComposeModel, ModelRequest } from './compose-model.ts'
import type { Want } from './stack-state.ts'

const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/

/** The global secrets that may satisfy `${VAR}`. What a process cannot carry is left out. */
export const globalVariables = (
  base: Environment,
  globals: readonly { readonly key: string; readonly value: Buffer }[],
): Environment => {
  const result: Record<string, string> = {}
  for (const { key, value } of globals) {
    if (!shellName.test(key) || isGuarded(key) || key in base) continue
    if (isPassable(key, value)) result[key] = value.toString('utf8')
  }
  return result
}

/** What the stack's files are read with. */
export const requestFor = (want: Want): ModelRequest => {
  const { desired, base, globals } = want
  const { compose: spec } = desired
  const { mask } = callFor(want, { variables: spec.variables ?? [] })
  return { spec, base, globals, mask }
}

/** How Compose is run on the stack of this want: with those secrets that its files may be filled by. */
export const callFor = (
  { desired, base, globals, mask }: Want,
  { variables }: Pick<ComposeModel, 'variables'>,
): Pick<ComposeCall, 'cwd' | 'env' | 'mask'> => {
  const filling = Object.entries(globals).filter(([key]) => variables.includes(key))
  const listed = desired.compose.variables ?? []
  const quotable = filling.filter(([key]) => listed.includes(key)).map(([, value]) => value)
  return {
    cwd: desired.compose.directory,
    env: { ...base, ...Object.fromEntries(filling) },
    mask: (text) => hideFragments(mask(text), quotable),
  }
}
