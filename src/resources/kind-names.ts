// What a kind is called, and how the API addresses it.
import { apiGroup } from './meta.ts'

/** `good`: somebody should look where it is not True. `bad`: where it is True. `neutral`: work goes on. */
export type Polarity = 'good' | 'bad' | 'neutral'

interface RestNames {
  /** One object: `store`, as in `:store_id`. */
  readonly word: string
  /** Its list, and the path of that: `stores`. */
  readonly list: string
  /** Prefix of its ids. */
  readonly id: string
  /** Where its list lies below its project. */
  readonly in?: 'project'
  /** One object in the stream of events, where that is another word. */
  readonly event?: string
}

export interface KindNames {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly description: string
  /** Text fields that a field selector may name, besides name and namespace. */
  readonly selectableFields?: readonly string[]
  /** True: stored only, never served by the API. */
  readonly internal?: boolean
  /** True: people make it by the API alone. No folder and no cluster holds one. */
  readonly ofApiAlone?: true
  /** Its words in REST; absent: REST has no objects of it. */
  readonly rest?: RestNames
  /** True: the dashboard has a form for it. */
  readonly form?: true
  /** What each condition of it means to whoever looks for what is wrong. */
  readonly conditions?: Readonly<Record<string, Polarity>>
  /** Order in which kinds are created when they are applied together; reversed for deletion. */
  readonly applyOrder: number
}

/** What all kinds of Stagely have. */
export const stagelyKind = {
  group: apiGroup,
  version: 'v1alpha1',
  categories: ['stagely', 'all'],
  namespaced: true,
} as const

export const apiVersionOf = (kind: KindNames): string =>
  kind.group === '' ? kind.version : `${kind.group}/${kind.version}`

/** Base path of the API of its group. */
export const apiPathOf = ({ group, version }: KindNames): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`

/** `stagelets.stagely.dev`, `namespaces`: the resource's name in error messages. */
export const resourceNameOf = (kind: KindNames): string =>
  kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`
