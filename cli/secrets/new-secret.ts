// The manifest of a secret that a command makes.
import { defined } from '../../src/kernel/defined.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { nameFor, type SecretIdentity } from './identity.ts'

export const newSecret = (
  identity: SecretIdentity,
  isTaken: (name: string) => boolean,
  value: object,
): KubeObject => {
  const { project, key, scope, stagelet, environments } = identity
  return {
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'StagelySecret',
    metadata: { name: nameFor({ ...identity, ...value }, isTaken) },
    spec: {
      projectRef: { name: project },
      key,
      scope,
      ...(stagelet !== undefined && { stageletRef: { name: stagelet } }),
      ...defined({ environments }),
      ...value,
    },
  }
}
