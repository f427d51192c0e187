// A spec as REST names its fields, as manifests name them, and what an edit of one is in other tools. Pure.
import { idOf, type Doing } from './doing.ts'
import type { Json } from './text.ts'

export type Spec = Readonly<Record<string, Json | undefined>>

const camel = (name: string): string =>
  name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

const isSpec = (value: Json | undefined): value is Spec =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Fields of REST by their names in manifests; what is not given is left out. */
export const manifestNames = (spec: Spec): Spec =>
  Object.fromEntries(
    Object.entries(spec).flatMap(([name, value]) =>
      value === undefined ? [] : [[camel(name), isSpec(value) ? manifestNames(value) : value]],
    ),
  )

/** What makes `after` of `before`: the fields that differ, with `null` for those that go. */
export const patchOf = (before: Spec, after: Spec): Spec => {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return Object.fromEntries(
    names.flatMap((name) => {
      const [was, is] = [before[name], after[name]]
      if (JSON.stringify(was) === JSON.stringify(is)) return []
      if (is === undefined) return [[name, null]]
      return [[name, isSpec(was) && isSpec(is) ? patchOf(was, is) : is]]
    }),
  )
}

interface Edited {
  readonly team: string
  readonly name: string
  /** Such as `Notifier`, and its place in REST: `notifiers`. */
  readonly kind: string
  readonly path: string
}

/** An object that is new, or another spec of one. REST takes `body`; `spec` is that of a manifest. */
export const newSpecDoing = (
  { team, name, kind, path }: Edited,
  body: Spec,
  spec: Spec,
): Doing => ({
  name: `New ${kind.toLowerCase()} ${name}`,
  rest: { method: 'POST', path: `/${path}`, body: { team, name, ...body } },
  objects: {
    namespace: team,
    list: [
      {
        apiVersion: 'stagely.dev/v1alpha1',
        kind,
        metadata: { name, namespace: team },
        spec,
      },
    ],
  },
})

export const editSpecDoing = (
  { team, name, kind, path }: Edited,
  body: Spec,
  patch: Spec,
): Doing => ({
  name: `Change ${name}`,
  rest: { method: 'PATCH', path: `/${path}/${idOf(team, name)}`, body },
  kubectl: [
    ...['patch', '-n', team, kind.toLowerCase(), name, '--type', 'merge'],
    ...['-p', JSON.stringify({ spec: patch })],
  ],
})

export const deleteDoing = ({ team, name, kind, path }: Edited): Doing => ({
  name: `Delete ${name}`,
  rest: { method: 'DELETE', path: `/${path}/${idOf(team, name)}` },
  stagely: { words: ['delete', kind.toLowerCase(), name, '-n', team, '--yes'] },
  kubectl: ['delete', '-n', team, kind.toLowerCase(), name],
})
