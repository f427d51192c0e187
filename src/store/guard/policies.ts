// What AccessPolicies guard.
import type { PolicyFacts } from '../../kinds/access-request/state.ts'
import { breakGlassName } from '../../access/break-glass.ts'
import { rulesOfPolicy } from '../../kinds/access-policy/schema.ts'
import { refOf, type KubeObject, type Place as NamedPlace } from '../../resources/meta.ts'
import { projectNameOf } from '../../resources/project-ref.ts'
import { specOf, statusOf } from '../../kinds/typed.ts'
import { finderIn, placeOf } from '../places/places.ts'
import { valueSourcesOf } from '../places/value-sources.ts'
import { term } from '../state/rows.ts'
import type { View } from '../state/state.ts'

type Objects = Pick<View, 'objects'>

export type Policy = PolicyFacts & ReturnType<typeof rulesOfPolicy>

export const toPolicy = (object: KubeObject): Policy => {
  const { name, uid = '', generation = 0 } = object.metadata
  const changedAt = Date.parse(statusOf('AccessPolicy', object).changedAt ?? '') || 0
  const { emergency, ...rules } = rulesOfPolicy(specOf('AccessPolicy', object))
  // Whoever runs the controller is in any case let in, when nobody can log in.
  const users = [...emergency.users, breakGlassName]
  return { name, uid, generation, changedAt, ...rules, emergency: { ...emergency, users } }
}

export const policiesIn = (view: Objects, namespace: string): KubeObject[] =>
  view.objects.withTerm(term.policiesIn(namespace)).map(({ object }) => object)

/** The policies that name the project, whatever they guard of it. */
export const policiesOf = (view: Objects, { namespace, name }: NamedPlace): KubeObject[] =>
  policiesIn(view, namespace).filter((policy) =>
    specOf('AccessPolicy', policy).projects.includes(name),
  )

/**
 * The policies that guard the value of a secret: where it counts, where another secret with its value counts, and in
 * `more`, where an earlier version with its value counted.
 */
export const guardsOf = (
  view: Objects,
  secret: KubeObject,
  more: readonly KubeObject[] = [],
): Policy[] => {
  const all = [...valueSourcesOf(view, secret).secrets, ...more]
  const places = all.flatMap((object) => placeOf(object, finderIn(view)) ?? [])
  return policiesIn(view, refOf(secret).namespace)
    .filter((policy) => {
      const { projects, environments } = specOf('AccessPolicy', policy)
      return places.some(
        (place) =>
          projects.includes(place.project) &&
          (environments === undefined ||
            environments.some((name) => place.environments.includes(name))),
      )
    })
    .map(toPolicy)
}

export const projectOfRequest = (request: KubeObject): NamedPlace => ({
  namespace: refOf(request).namespace,
  name: projectNameOf(request) ?? '',
})
