// What an env_file gives a database that has no use for it: the application's keys stay out of it, so that a new value
// of one does not re-create it. Pure.
import type { ComposeProject } from './compose-project.ts'
import { readsNot } from './holders.ts'
import type { ServiceValue } from './values-of-service.ts'

export interface Unread {
  readonly service: string
  readonly file: string
  readonly keys: readonly string[]
}

/** Only what another service reads from the same place: nothing is lost. */
export const withoutUnread = (
  { services }: Pick<ComposeProject, 'services'>,
  values: readonly ServiceValue[],
): { read: ServiceValue[]; unread: Unread[] } => {
  const isUnread = ({ key, scope }: ServiceValue): boolean => {
    const service = services.find(({ name }) => name === scope)
    return service !== undefined && !service.written.has(key) && readsNot(service, key)
  }
  const read = values.filter((value) => !isUnread(value))
  const isReadElsewhere = ({ key, file, value }: ServiceValue): boolean =>
    read.some((other) => other.key === key && other.file === file && other.value === value)
  const dropped = values.filter((value) => isUnread(value) && isReadElsewhere(value))
  const unread = services.flatMap(({ name }) => {
    const own = dropped.filter(({ scope }) => scope === name)
    return [...new Set(own.map(({ file }) => file))].map((file) => ({
      service: name,
      file,
      keys: own.filter((value) => value.file === file).map(({ key }) => key),
    }))
  })
  return { read: values.filter((value) => !dropped.includes(value)), unread }
}
