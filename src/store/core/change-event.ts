// A change as watchers get it. The feed keeps thousands of them as texts. A parsed object takes twice the memory, and is
// kept only while somebody uses it.
import type { KubeObject } from '../../resources/meta.ts'
import type { ChangeEvent } from './objects.ts'

/** A change as the log has it. */
export interface LoggedChange extends ChangeEvent {
  /** keyOf() of the object. */
  readonly id: string
}

interface ChangeText extends Pick<LoggedChange, 'resourceVersion' | 'type' | 'text' | 'id'> {
  /** `text`, parsed, where the caller has it. */
  readonly object?: KubeObject
  /** Text of what the change replaced or removed. */
  readonly previous: string | undefined
}

/** A text that is parsed when it is read. The object is held weakly. */
class Parsed {
  readonly #text: string
  #held: WeakRef<KubeObject> | undefined

  constructor(text: string, object?: KubeObject) {
    this.#text = text
    if (object !== undefined) this.#held = new WeakRef(object)
  }

  get object(): KubeObject {
    const there = this.#held?.deref()
    if (there !== undefined) return there
    const object = JSON.parse(this.#text) as KubeObject
    this.#held = new WeakRef(object)
    return object
  }
}

class StoredChange implements LoggedChange {
  readonly id: string
  readonly resourceVersion: number
  readonly type: ChangeEvent['type']
  readonly text: string
  readonly #now: Parsed
  readonly #before: Parsed | undefined

  constructor({ id, resourceVersion, type, text, object, previous }: ChangeText) {
    this.id = id
    this.resourceVersion = resourceVersion
    this.type = type
    this.text = text
    this.#now = new Parsed(text, object)
    if (previous !== undefined) this.#before = new Parsed(previous)
  }

  get object(): KubeObject {
    return this.#now.object
  }

  get previous(): KubeObject | undefined {
    return this.#before?.object
  }
}

export const changeEvent = (change: ChangeText): LoggedChange => new StoredChange(change)
