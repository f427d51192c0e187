// Objects with the types of their kind. The store has checked each of them by the schema of its kind.
import type * as z from 'zod'
import type { KubeObject } from '../resources/meta.ts'
import type { definitions } from './index.ts'

type Definitions = typeof definitions
type Status<D> = D extends { readonly status: z.ZodType<infer S> } ? S : Record<string, unknown>
/** A spec is there where its kind says so, or where it has required fields. */
type WithSpec<D, Spec> = D extends { readonly needsSpec: true }
  ? { spec: Spec }
  : object extends Spec
    ? unknown
    : { spec: Spec }

type TypeOfKind = {
  [K in keyof Definitions]: KubeObject<z.infer<Definitions[K]['spec']>, Status<Definitions[K]>> &
    WithSpec<Definitions[K], z.infer<Definitions[K]['spec']>>
}

/** A Namespace shows what other programs write to it: nobody reads its types. */
type TypedKind = Exclude<keyof TypeOfKind, 'Namespace'>
export type Typed<K extends TypedKind> = TypeOfKind[K]

/** An object of the kind that a literal names; of any other kind, an object without types. */
export type ObjectOf<K extends string> = K extends TypedKind ? Typed<K> : KubeObject

/** The object with the types of its kind. An object of another kind is a fault of the code. */
export const ofKind = <K extends string>(kind: K, object: KubeObject): ObjectOf<K> => {
  if (object.kind !== kind) throw new Error(`expected a ${kind}, got a ${object.kind}`)
  return object as unknown as ObjectOf<K>
}

export const specOf = <K extends TypedKind>(kind: K, object: KubeObject): Typed<K>['spec'] =>
  ofKind<TypedKind>(kind, object).spec as Typed<K>['spec']

/** Empty while nobody has written the status. */
export const statusOf = <K extends TypedKind>(
  kind: K,
  object: KubeObject,
): NonNullable<Typed<K>['status']> =>
  (ofKind<TypedKind>(kind, object).status ?? {}) as NonNullable<Typed<K>['status']>
