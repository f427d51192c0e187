// Secrets with one value: what a secret follows, and whatever takes the same key of the same store. A value counts
// wherever one of them counts.
import { refOf, type KubeObject } from '../../resources/meta.ts'
import { specOf } from '../../kinds/typed.ts'
import { term } from '../state/rows.ts'
import type { View } from '../state/state.ts'
import { finderIn } from './places.ts'

type Objects = Pick<View, 'objects'>

const mostSteps = 10

interface ValueSources {
  /** The secret itself is the first. */
  readonly secrets: readonly KubeObject[]
  /** It follows a secret that is not there: nobody knows whose value it will be. */
  readonly isOpen: boolean
}

/** Those that take the same key of a store, with any property of it. */
const ofSameKey = (view: Objects, secret: KubeObject): KubeObject[] => {
  const { external } = specOf('StagelySecret', secret).valueFrom ?? {}
  if (external === undefined) return [secret]
  const { namespace } = refOf(secret)
  const others = view.objects
    .withTerm(term.fromStore(namespace, external))
    .map(({ object }) => object)
    .filter(({ metadata }) => metadata.name !== secret.metadata.name)
  return [secret, ...others]
}

export const valueSourcesOf = (view: Objects, secret: KubeObject): ValueSources => {
  const { namespace } = refOf(secret)
  const find = finderIn(view)
  const chain = [secret]
  let isOpen = false
  for (let last = secret; chain.length < mostSteps;) {
    const name = specOf('StagelySecret', last).valueFrom?.secretRef?.name
    if (name === undefined) break
    const next = find({ kind: 'StagelySecret', namespace, name })
    isOpen = next === undefined
    if (next === undefined || chain.includes(next)) break
    chain.push((last = next))
  }
  return { secrets: chain.flatMap((followed) => ofSameKey(view, followed)), isOpen }
}
