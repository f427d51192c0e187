// An object's stored text, parsed when it is first looked into.
import type { KubeObject } from '../resources/meta.ts'
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
