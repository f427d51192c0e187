// Sets of owned fields, as in server-side apply: a tree whose steps are the keys of FieldsV1. A set is
// never changed in place.
import { isRecord } from '../kernel/record.ts'
import { isStorable } from '../kernel/storable.ts'

/** `self`: the field is in the set; `children`: what is below it, by step (`f:name`, `k:{…}`, `v:…`). */
export interface FieldSet {
  readonly self: boolean
  readonly children: ReadonlyMap<string, FieldSet>
}

export type FieldPath = readonly string[]

export const emptySet: FieldSet = { self: false, children: new Map() }

export const isEmptySet = (set: FieldSet): boolean => !set.self && set.children.size === 0

const nodeOf = (self: boolean, children: Iterable<[string, FieldSet]>): FieldSet => ({
  self,
  children: new Map([...children].filter(([, child]) => !isEmptySet(child))),
})

export const childOf = (set: FieldSet, step: string): FieldSet => set.children.get(step) ?? emptySet

export const union = (a: FieldSet, b: FieldSet): FieldSet => {
  if (isEmptySet(a)) return b
  if (isEmptySet(b)) return a
  const steps = new Set([...a.children.keys(), ...b.children.keys()])
  return nodeOf(
    a.self || b.self,
    [...steps].map((step) => [step, union(childOf(a, step), childOf(b, step))]),
  )
}

export const intersection = (a: FieldSet, b: FieldSet): FieldSet =>
  nodeOf(
    a.self && b.self,
    [...a.children].map(([step, child]) => [step, intersection(child, childOf(b, step))]),
  )

/** The fields of `a` that are not in `b`. */
export const difference = (a: FieldSet, b: FieldSet): FieldSet => {
  if (isEmptySet(b) || isEmptySet(a)) return a
  const children = [...a.children].map(([step, child]): [string, FieldSet] => [
    step,
    difference(child, childOf(b, step)),
  ])
  const self = a.self && !b.self
  // Usually nothing is removed. Then the same set is returned, whose wire form is cached.
  const same = self === a.self && children.every(([step, child]) => a.children.get(step) === child)
  return same ? a : nodeOf(self, children)
}

export const setOfPaths = (paths: Iterable<FieldPath>): FieldSet => {
  interface Node {
    self: boolean
    children: Map<string, Node>
  }
  const root: Node = { self: false, children: new Map() }
  for (const path of paths) {
    let node = root
    for (const step of path) {
      const next = node.children.get(step) ?? { self: false, children: new Map<string, Node>() }
      node.children.set(step, next)
      node = next
    }
    node.self = true
  }
  return root
}

/** Every field of the set, parents before children, in order of their names. */
export const pathsOf = (set: FieldSet, base: FieldPath = []): FieldPath[] => [
  ...(set.self ? [base] : []),
  ...sortedChildren(set).flatMap(([step, child]) => pathsOf(child, [...base, step])),
]

const sortedChildren = (set: FieldSet): [string, FieldSet][] =>
  [...set.children].sort(([a], [b]) => (a < b ? -1 : 1))

/** `.spec.files`, `.status.conditions[type="Ready"].status`, as kubectl shows a field. */
export const textOfPath = (path: FieldPath): string =>
  path
    .map((step) => {
      const rest = step.slice(2)
      if (step.startsWith('k:'))
        return `[${Object.entries(JSON.parse(rest) as object)
          .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
          .join(',')}]`
      return step.startsWith('v:') ? `[=${rest}]` : `.${rest}`
    })
    .join('')

export type FieldsV1 = { [step: string]: FieldsV1 }

/** Cache of wire forms: most sets are read, kept unchanged, and written again. */
const wireForms = new WeakMap<FieldSet, FieldsV1>()

const renderNode = (set: FieldSet): FieldsV1 => ({
  ...(set.self && set.children.size > 0 && { '.': {} }),
  ...Object.fromEntries(sortedChildren(set).map(([step, child]) => [step, renderNode(child)])),
})

/**
 * A leaf is `{}`. A field that is owned together with fields below it has the key `"."`. The result
 * must not be changed.
 */
export const toFieldsV1 = (set: FieldSet): FieldsV1 => {
  const cached = wireForms.get(set)
  if (cached !== undefined) return cached
  const form = renderNode(set)
  wireForms.set(set, form)
  return form
}

const goodStep = (step: string): boolean => {
  if (!isStorable(step)) return false
  if (step.startsWith('f:')) return true
  try {
    const value = JSON.parse(step.slice(2)) as unknown
    return step.startsWith('k:') ? isRecord(value) : /^[vi]:/.test(step)
  } catch {
    return false
  }
}

/** undefined when `input` is not a valid FieldsV1. */
export const fromFieldsV1 = (input: unknown): FieldSet | undefined => {
  const set = decodeNode(input, 0)
  if (set === undefined) return undefined
  // The root stands for the whole object, which nobody owns.
  const root = { ...set, self: false }
  if (!set.self) wireForms.set(root, input as FieldsV1)
  return root
}

const maxDepth = 64

const decodeNode = (input: unknown, depth: number): FieldSet | undefined => {
  if (!isRecord(input) || depth > maxDepth) return undefined
  const children = new Map<string, FieldSet>()
  for (const [step, value] of Object.entries(input)) {
    if (step === '.' && isRecord(value) && Object.keys(value).length === 0) continue
    const child = goodStep(step) ? decodeNode(value, depth + 1) : undefined
    if (child === undefined) return undefined
    children.set(step, child)
  }
  return { self: '.' in input || children.size === 0, children }
}
