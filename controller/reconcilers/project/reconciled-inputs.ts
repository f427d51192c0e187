// The fields of a project or a secret from which its status is decided.
import type { KubeObject } from '../../../src/resources/meta.ts'
import { sameJson } from '../../../src/kernel/same-json.ts'

/** Of a project's status only the revision is an input: the rest are counts that the rollout reconciler writes. */
export const inputsOf = ({ kind, metadata, spec, status }: KubeObject): readonly unknown[] =>
  kind === 'Project'
    ? [metadata.uid, metadata.generation, status?.['revision']]
    : [metadata.uid, spec, status]

/** True where the two objects differ only in labels, annotations, counts and the like. */
export const hasSameInputs = (a: KubeObject, b: KubeObject): boolean =>
  sameJson(inputsOf(a), inputsOf(b))
