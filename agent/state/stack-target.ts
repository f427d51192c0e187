// What a stack is to run: the desired state of a stagelet with its decrypted secrets, and how Compose is called for it.
import type { ComposeCall } from '../../src/compose/compose.ts'
import { hideFragments } from '../../src/masking/fragments.ts'
import type { ComposeModel, ModelRequest } from '../compose/compose-model.ts'
import { isGuarded, type Environment } from '../../src/compose/environment.ts'
import { isPassable } from '../compose/validate-values.ts'
import { countSurplus, hiddenOf } from './old-values.ts'
import { createMasker, type Masker } from '../../src/masking/masker.ts'
import type { DesiredStagelet } from '../../src/protocol/messages.ts'
import { globalsFor, type SetEntry } from '../../src/secrets/visible.ts'

/** One secret of the stagelet's set, decrypted. */
export type OpenedSecret = SetEntry & { readonly value: Buffer }

/** A desired state of the stagelet with its secrets. Never changed, only replaced as a whole. */
export interface StackTarget {
  readonly desired: DesiredStagelet
  readonly entries: readonly OpenedSecret[]
  /** Environment of Compose, without secrets. */
  readonly base: Environment
  /** Global secrets that may set variables of the user's files. */
  readonly globals: Environment
  /** Two wants with the same key ask for the same. A failure is tried again with growing delays while the key stays. */
  readonly key: string
  /** By digest, the values that are hidden: of this set and of earlier ones that may still run, as many as old-values keeps. */
  readonly values: ReadonlyMap<string, Buffer>
  /** Hides these values in a text. */
  readonly mask: (text: string) => string
}

const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Global secrets that may set `${VAR}`, without those that an environment cannot hold. */
export const globalVariables = (
  base: Environment,
  globals: readonly { readonly key: string; readonly value: Buffer }[],
): Environment => {
  const isOurs = (key: string): boolean =>
    shellName.test(key) && !isGuarded(key) && !Object.hasOwn(base, key)
  // Entries, so that `__proto__` is a name like any other.
  return Object.fromEntries(
    globals
      .filter(({ key, value }) => isOurs(key) && isPassable(key, value))
      .map(({ key, value }) => [key, value.toString('utf8')]),
  )
}

/** Hides the folder and every path below it in a text. */
const pathHider = (folder: string): ((text: string) => string) => {
  const escaped = folder.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  const paths = new RegExp(`${escaped}[\\w./-]*`, 'g')
  return (text) => text.replace(paths, '(a file secret)')
}

/** `before` is the target that this one replaces. `settled`: all of `before` runs, so that no older value does. */
export const createStackTarget = (
  parts: {
    readonly desired: DesiredStagelet
    readonly entries: readonly OpenedSecret[]
    readonly base: Environment
    /** Folder whose paths are hidden in texts. */
    readonly hidden?: string
    /** Other secrets whose values are hidden in texts, too. */
    readonly also?: readonly OpenedSecret[]
  },
  before: StackTarget | undefined,
  settled: boolean,
): StackTarget => {
  const { desired, entries, hidden, also = [] } = parts
  const base = { ...desired.compose.values, ...parts.base }
  const withoutPaths = hidden === undefined ? (text: string) => text : pathHider(hidden)
  const own = (list: readonly OpenedSecret[]): [string, Buffer][] =>
    list.map((e) => [e.valueDigest, e.value])
  const older =
    before === undefined ? [] : settled ? own(hiddenOf(before.entries).newest) : [...before.values]
  const hiding = hiddenOf(entries, also)
  const still = older.filter(([digest]) => !hiding.shown.has(digest))
  const kept = still.slice(countSurplus(still.map(([, value]) => value)))
  const values = new Map([...kept, ...own(hiding.older), ...own(hiding.newest)])
  let masker: Masker | undefined
  const {
    generation: _g,
    order: _o,
    healthyRevision: _h,
    previousRevision: _p,
    ...target
  } = desired
  return {
    desired,
    entries,
    values,
    base,
    globals: globalVariables(base, globalsFor(desired.name, entries)),
    key: JSON.stringify(target),
    // The masker is made when it is first needed, so that it does not delay `up`.
    mask: (text) => (masker ??= createMasker([...values.values()])).mask(withoutPaths(text)),
  }
}

/** The request to read the files of this target's stack. */
export const requestFor = (target: StackTarget): ModelRequest => {
  const { desired, base, globals } = target
  const { uid, compose: spec } = desired
  const { mask } = callFor(target, { variables: spec.variables ?? [] })
  return { spec, uid, isEnding: desired.release !== undefined, base, globals, mask }
}

/** How Compose is called for the stack of this target: with the secrets that may set variables of its files. */
export const callFor = (
  { desired, entries, base, globals, mask }: StackTarget,
  { variables }: Pick<ComposeModel, 'variables'>,
): Pick<ComposeCall, 'cwd' | 'env' | 'mask'> => {
  const used = Object.entries(globals).filter(([key]) => variables.includes(key))
  const listed = desired.compose.variables ?? []
  const hidden = new Set(hiddenOf(globalsFor(desired.name, entries)).newest.map(({ key }) => key))
  const quotable = used
    .filter(([key]) => listed.includes(key) && hidden.has(key))
    .map(([, value]) => value)
  return {
    cwd: desired.compose.directory,
    env: { ...base, ...Object.fromEntries(used) },
    mask: (text) => hideFragments(mask(text), quotable),
  }
}
