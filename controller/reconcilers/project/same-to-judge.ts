// What of a secret its judgement depends on.
import type { KubeObject } from '../../../src/resources/meta.ts'
import { sameJson } from '../../../src/store/canonical.ts'

/** True where only labels, annotations and the like differ. */
export const isSameToJudge = (a: KubeObject, b: KubeObject): boolean =>
  a.metadata.uid === b.metadata.uid && sameJson(a.spec, b.spec) && sameJson(a.status, b.status)
