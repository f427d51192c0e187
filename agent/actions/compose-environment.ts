// The environment of Compose processes: a small base, and the global secrets that set `${VAR}` in the user's files.
import type { ComposeCall } from '../../src/compose/compose.ts'
import { hideFragments } from '../../src/masking/fragments.ts'
import type { ComposeModel, ModelRequest } from '../compose/compose-model.ts'
import type { StackTarget } from '../stack/stack-target.ts'

/** The request to read the files of this target's stack. */
export const requestFor = (target: StackTarget): ModelRequest => {
  const { desired, base, globals } = target
  const { compose: spec } = desired
  const { mask } = callFor(target, { variables: spec.variables ?? [] })
  return { spec, base, globals, mask }
}

/** How Compose is called for the stack of this target: with the secrets that may set variables of its files. */
export const callFor = (
  { desired, base, globals, mask }: StackTarget,
  { variables }: Pick<ComposeModel, 'variables'>,
): Pick<ComposeCall, 'cwd' | 'env' | 'mask'> => {
  const used = Object.entries(globals).filter(([key]) => variables.includes(key))
  const listed = desired.compose.variables ?? []
  const quotable = used.filter(([key]) => listed.includes(key)).map(([, value]) => value)
  return {
    cwd: desired.compose.directory,
    env: { ...base, ...Object.fromEntries(used) },
    mask: (text) => hideFragments(mask(text), quotable),
  }
}
