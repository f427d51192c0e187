// What makes, changes and deletes an object of each kind, in REST, for kubectl and as YAML. Pure.
import { named, type RestKindName } from '../../src/kinds/names.ts'
import { resourceNameOf, type KindNames } from '../../src/resources/kind-names.ts'
import { objectId, requestTo } from '../api/request.ts'
import type { ApiAction } from './copy-as.ts'
import type { JsonValue } from '../api/text.ts'

export type Spec = Readonly<Record<string, JsonValue | undefined>>

const camel = (name: string): string =>
  name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

export const isSpec = (value: unknown): value is Spec =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Fields of REST by their names in manifests; what is not given is left out. */
export const manifestNames = (spec: Spec): Spec =>
  Object.fromEntries(
    Object.entries(spec).flatMap(([name, value]) =>
      value === undefined ? [] : [[camel(name), isSpec(value) ? manifestNames(value) : value]],
    ),
  )

/**
 * The merge patch that makes `after` of `before`: the fields that differ, with `null` for those that go. A merge patch
 * goes into maps too; REST replaces a map as a whole.
 */
export const patchOf = (before: Spec, after: Spec): Spec => {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return Object.fromEntries(
    names.flatMap((name) => {
      const [previous, next] = [before[name], after[name]]
      if (JSON.stringify(previous) === JSON.stringify(next)) return []
      if (next === undefined) return [[name, null]]
      return [[name, isSpec(previous) && isSpec(next) ? patchOf(previous, next) : next]]
    }),
  )
}

/** Another API has projects too. */
const kubectlName = (kind: RestKindName): string =>
  kind === 'Project'
    ? resourceNameOf({ ...named[kind], plural: named[kind].singular })
    : named[kind].singular

export interface ObjectName {
  readonly team: string
  readonly name: string
  /** Of what lies in a project. */
  readonly project?: string
}

const listPath = (kind: RestKindName, { team, project }: ObjectName): string => {
  const { rest }: KindNames = named[kind]
  const list = `/${rest?.list ?? ''}`
  return rest?.in === 'project'
    ? `/projects/${encodeURIComponent(`${team}/${project ?? ''}`)}${list}`
    : list
}

const objectPath = (kind: RestKindName, object: ObjectName): string => {
  const path = listPath(kind, object)
  const id = path.startsWith('/projects/') ? object.name : objectId(object)
  return `${path}/${encodeURIComponent(id)}`
}

export const manifestOf = (
  kind: RestKindName,
  { team, name }: ObjectName,
  spec: Spec,
): JsonValue => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind,
  metadata: { name, namespace: team },
  spec,
})

/** REST takes `body`, a manifest `spec`. */
export const newObject = (
  kind: RestKindName,
  object: ObjectName,
  body: Spec = {},
  spec: Spec = manifestNames(body),
): ApiAction => {
  const { team, name } = object
  return {
    name: `New ${kind.toLowerCase()} ${name}`,
    request: requestTo('post', listPath(kind, object), { team, name, ...body }),
    objects: { namespace: team, list: [manifestOf(kind, object, spec)] },
  }
}

export const patchObject = (
  kind: RestKindName,
  object: ObjectName,
  body: Spec,
  spec: Spec = manifestNames(body),
): ApiAction => ({
  name: `Change ${object.name}`,
  request: requestTo('patch', objectPath(kind, object), body),
  kubectl: [
    ...['patch', '-n', object.team, kubectlName(kind), object.name, '--type', 'merge'],
    ...['-p', JSON.stringify({ spec })],
  ],
})

export const deleteObject = (kind: RestKindName, object: ObjectName): ApiAction => {
  const { team, name } = object
  return {
    name: `Delete ${name}`,
    request: requestTo('delete', objectPath(kind, object)),
    stagely: ['delete', kind.toLowerCase(), name, '-n', team, '--yes'],
    kubectl: ['delete', '-n', team, kubectlName(kind), name],
  }
}
