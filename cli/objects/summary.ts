// What the controller knows of an object beyond its fields, by its kind: sentences for `stagely describe`.
import type { Rotation, Store } from '../../src/generated/rest-types.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { messageOf, StagelyError } from '../../src/kernel/errors.ts'
import { nextSyncOf } from '../../src/kinds/secret-store/next-sync.ts'
import { refOf, type KubeObject } from '../../src/resources/meta.ts'
import { projectRefOf } from '../../src/resources/project-ref.ts'
import { projectPath, type RestClient } from '../connect/rest.ts'
import { NotStagely } from '../errors.ts'
import { rotationSummary } from '../rotation/views.ts'

type Read = Pick<RestClient, 'call'>

const summaries: Readonly<
  Record<string, ((rest: Read, object: KubeObject) => Promise<string[]>) | undefined>
> = {
  Rotation: async (rest, object) => {
    const { namespace, name } = refOf(object)
    const project = projectPath(namespace, projectRefOf(object).name)
    const { body } = await rest.call<Rotation>(`${project}/rotations/${encodeURIComponent(name)}`)
    return rotationSummary(body)
  },
  SecretStore: async (rest, object) => {
    const { namespace, name } = refOf(object)
    const path = `/stores/${encodeURIComponent(`${namespace}/${name}`)}`
    const next = nextSyncOf((await rest.call<Store>(path)).body, realClock.now())
    return next === undefined ? [] : [`Next read: ${next}`]
  },
}

/** A server that refuses to say it, or has no REST, such as that of a cluster, hides no field of the object. */
export const summaryOf = async (rest: Read, object: KubeObject): Promise<string[]> => {
  try {
    return (await summaries[object.kind]?.(rest, object)) ?? []
  } catch (error) {
    if (!(error instanceof StagelyError || error instanceof NotStagely)) throw error
    return [`unknown: ${messageOf(error)}`]
  }
}
