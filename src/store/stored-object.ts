// An object's stored text, parsed when it is first looked into.
import { storableJson } from '../kernel/storable.ts'
import type { KubeObject } from '../resources/meta.ts'
import { valueFields } from '../resources/secret-value.ts'
import type { StoredObject } from './store.ts'

export const storedObject = (text: string): StoredObject => {
  let object: KubeObject | undefined
  return {
    text,
    get object() {
      return (object ??= JSON.parse(text) as KubeObject)
    },
  }
}

/** What is stored is answered as it is: no value may ever come this far. */
export const textOf = (object: KubeObject): string => {
  const { kind, metadata, spec = {} } = object
  if (kind === 'StagelySecret' && valueFields.some((field) => field in spec))
    throw new Error(`the value of secret "${metadata.name}" is still in its object`)
  return storableJson(JSON.stringify(object))
}
