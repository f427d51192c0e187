// An object's stored text, parsed when it is first looked into.
import { frozen, frozenCopy } from '../../kernel/frozen.ts'
import { storableJson } from '../../kernel/storable.ts'
import type { KubeObject } from '../../resources/meta.ts'
import { valueFields } from '../../kinds/secret/value.ts'
import type { StoredObject } from './objects.ts'

export const storedObject = (text: string): StoredObject => {
  let object: KubeObject | undefined
  return {
    text,
    get object() {
      return (object ??= JSON.parse(text) as KubeObject)
    },
  }
}

/** The text is stored and answered as it is: no value may be in it. `object` is the parsed text, frozen. */
export const serializeObject = (object: KubeObject): { text: string; object: KubeObject } => {
  const { kind, metadata, spec = {} } = object
  if (kind === 'StagelySecret' && valueFields.some((field) => field in spec))
    throw new Error(`the value of secret "${metadata.name}" is still in its object`)
  const json = JSON.stringify(object)
  const text = storableJson(json)
  const same = text === json
  return { text, object: same ? frozenCopy(object) : frozen(JSON.parse(text) as KubeObject) }
}
