// How an agent is named: Stagelets name their agent by namespace and name.
import type { ObjectRef } from '../resources/meta.ts'

/** `namespace/name`. */
export const agentKeyOf = (namespace: string, name: string): string => `${namespace}/${name}`

export const agentRefOf = (agentKey: string): ObjectRef<'Agent'> => {
  const [namespace = '', name = ''] = agentKey.split('/')
  return { kind: 'Agent', namespace, name }
}
