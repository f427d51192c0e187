// What of a project and of a secret their judgement depends on.
import type { KubeObject } from '../../../src/resources/meta.ts'
import { sameJson } from '../../../src/store/canonical.ts'

/** Of a project's status most is counts of its stagelets, which another reconciler writes. */
export const inputsOf = ({ kind, metadata, spec, status }: KubeObject): readonly unknown[] =>
  kind === 'Project'
    ? [metadata.uid, metadata.generation, status?.['revision']]
    : [metadata.uid, spec, status]

/** True where only labels, annotations, a project's counts and the like differ. */
export const hasSameInputs = (a: KubeObject, b: KubeObject): boolean =>
  sameJson(inputsOf(a), inputsOf(b))
