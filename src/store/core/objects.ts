// Objects as the store reads and writes them.
import type { KubeObject, ManagedFieldsEntry } from '../../resources/meta.ts'
import type { ObjectOf } from '../../kinds/typed.ts'

export interface ListOptions {
  readonly namespace?: string | undefined
  /** Only in these namespaces; of namespaces themselves, only these. Absent: everywhere. */
  readonly within?: readonly string[] | undefined
  /** Only objects of this project of the namespace: StagelySecrets, Stagelets, Rotations, or Events about these and the project. */
  readonly project?: string | undefined
  /** Only StagelySecrets that take their values from stores elsewhere. */
  readonly fromStores?: true
}

export interface ObjectList<K extends string = string> {
  readonly items: ObjectOf<K>[]
  readonly resourceVersion: number
}

export interface PageOptions {
  readonly namespace?: string | undefined
  /** Only in these namespaces; of namespaces themselves, only these. Absent: everywhere. */
  readonly within?: readonly string[] | undefined
  /** Only objects of this project of the namespace: StagelySecrets, Stagelets or Rotations. */
  readonly project?: string | undefined
  /** The objects as they were at this version; when absent, as they are. */
  readonly at?: number | undefined
  /** Only what comes after this place, in order of namespace and name. */
  readonly after?: { readonly namespace: string; readonly name: string } | undefined
  readonly limit: number
}

/** A stored object. Most answers need only its text: the object is parsed when it is read. */
export interface StoredObject {
  /** JSON in the form for clients, except for an Event, whose fields are in `spec`. */
  readonly text: string
  /** It must not be changed. */
  readonly object: KubeObject
}

export interface ListedObject extends StoredObject {
  readonly uid: string
  /** Its resourceVersion, as a number. */
  readonly rv: number
}

export interface ObjectPage {
  readonly items: StoredObject[]
  readonly resourceVersion: number
  /** Number of items after the last one. */
  readonly remaining: number
}

export interface ChangeEvent extends StoredObject {
  readonly resourceVersion: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  /** The object that the change has replaced or removed, for watchers with a selector. It must not be changed. */
  readonly previous: KubeObject | undefined
}

export interface EventInput {
  readonly regarding: KubeObject
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/** Options of an API that writes an object. */
export interface Tracking {
  /** The new `metadata.managedFields`; absent: they stay. */
  readonly managedFields?: readonly ManagedFieldsEntry[]
}

/** What a removal did: the last state of the object, and whether the object is gone. */
export interface Removed {
  readonly object: KubeObject
  readonly gone: boolean
}
