// The reads that the store and a write have in common.
import type { ObjectRef } from '../../resources/meta.ts'
import type { ObjectOf } from '../../kinds/typed.ts'
import type { ListOptions, ObjectList } from './objects.ts'
import type { ProjectRevisions, SecretSet } from './sets.ts'

export interface Reader {
  /** The object, typed where the kind is a literal. */
  get<K extends string>(ref: ObjectRef<K>): Promise<ObjectOf<K> | undefined>
  list<K extends string>(kind: K, options?: ListOptions): Promise<ObjectList<K>>
  /** The set at the revision; 'head' includes open writes. Checks the set MAC: InternalError where it does not match. */
  readSet(projectUid: string, revision: number | 'head'): Promise<SecretSet>
  revisionsOf(projectUid: string): Promise<ProjectRevisions>
}
