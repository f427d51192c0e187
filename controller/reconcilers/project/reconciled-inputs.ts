// The fields of a project or a secret from which its status is decided.
import type { KubeObject } from '../../../src/resources/meta.ts'
import { sameJson } from '../../../src/store/canonical.ts'

/** Most of a project's status are counts of its stagelets, which the rollout reconciler writes: they are no inputs. */
export const inputsOf = ({ kind, metadata, spec, status }: KubeObject): readonly unknown[] =>
  kind === 'Project'
    ? [metadata.uid, metadata.generation, status?.['revision']]
    : [metadata.uid, spec, status]

/** True where the two differ at most in labels, annotations, counts and the like. */
export const hasSameInputs = (a: KubeObject, b: KubeObject): boolean =>
  sameJson(inputsOf(a), inputsOf(b))
