// describe: everything about an object, for people: spec, status, conditions, events.
import { openClient } from '../connect/client.ts'
import type { Condition } from '../../src/resources/conditions.ts'
import { lastSeenOf, timesSeen, type EventSpec } from '../../src/kinds/event/schema.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { ServiceStatus } from '../../src/kinds/stagelet/schema.ts'
import { pathOf, type KubeApi, type KubeList } from '../connect/api.ts'
import { servedKind, parseTargets } from '../output/kinds.ts'
import { readTargets, objectSelection } from '../objects/objects.ts'
import { summaryOf } from '../objects/summary.ts'
import { newCommand, type Command, type CommonFlags } from '../options.ts'
import { plainAnnotations } from '../output/output.ts'
import { toYaml } from '../output/yaml.ts'
import { note, out } from '../print.ts'
import { renderColumns } from '../output/table.ts'

export const command = (): Command =>
  newCommand('describe -A -l', 'Show everything about objects: spec, status, conditions, events.', [
    'stagely describe stagelet shop',
    'stagely describe rotation shop-db',
    'stagely describe secrets -l team=web',
  ])
    .argument('<kind...>', 'KIND [NAME...] or KIND/NAME...')
    .action(describe)

const describe = async (words: string[], flags: CommonFlags): Promise<void> => {
  const targets = parseTargets(words)
  const { api, rest } = await openClient(flags)
  const found = await readTargets(api, targets, objectSelection(api, flags))
  if (found.length === 0) note('No resources found')
  const texts: string[] = []
  for (const { object } of found) {
    const [events, summary] = [await eventsOf(api, object), await summaryOf(rest, object)]
    texts.push(renderDescription(object, events, summary))
  }
  if (texts.length > 0) out(texts.join('\n\n\n'))
}

const eventsOf = async (api: KubeApi, object: KubeObject): Promise<readonly EventView[]> => {
  const fieldSelector = `involvedObject.uid=${object.metadata.uid ?? ''}`
  const path = pathOf(servedKind('Event'), object.metadata.namespace ?? object.metadata.name)
  const list = (await api.call(path, { query: { fieldSelector } })) as KubeList
  return list.items as unknown as EventView[]
}

/** A core/v1 Event has its fields at the top level. */
type EventView = EventSpec

const indent = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')

const section = (title: string, value: unknown): string[] => {
  if (value === undefined || Object.keys(value as object).length === 0) return []
  return [`${title}:`, indent(toYaml(value))]
}

const lines = (title: string, values: Record<string, string> | undefined): string => {
  const entries = Object.entries(values ?? {}).map(([key, value]) => `${key}=${value}`)
  return `${`${title}:`.padEnd(14)}${entries.length === 0 ? '<none>' : entries.join(`\n${' '.repeat(14)}`)}`
}

export const renderDescription = (
  object: KubeObject,
  events: readonly EventView[],
  summary: readonly string[] = [],
): string => {
  const { metadata, spec, status = {} } = object
  const { conditions, services, ...rest } = status as {
    conditions?: Condition[]
    services?: (ServiceStatus | string)[]
  } & Record<string, unknown>
  const head = [
    ['Name', metadata.name],
    ['Namespace', metadata.namespace ?? '<none>'],
    ['Kind', object.kind],
    ['Created', metadata.creationTimestamp ?? ''],
    ...(metadata.deletionTimestamp === undefined
      ? []
      : [['Deleting since', metadata.deletionTimestamp]]),
    ['Generation', String(metadata.generation ?? '')],
  ].map(([title, value]) => `${`${title ?? ''}:`.padEnd(14)}${value ?? ''}`)
  return [
    ...head,
    lines('Labels', metadata.labels),
    lines('Annotations', plainAnnotations(object)),
    ...(summary.length === 0 ? [] : ['Summary:', indent(summary.join('\n'))]),
    ...section('Spec', spec),
    ...section('Status', rest),
    ...renderServices(services),
    ...renderConditions(conditions),
    ...renderEvents(events),
  ].join('\n')
}

/** Names of keys only; for a secret, the services that see it, as stagelet/service. */
const renderServices = (services: readonly (ServiceStatus | string)[] | undefined): string[] => {
  if (services === undefined) return []
  if (services.length === 0) return ['Services:  <none>']
  if (typeof services[0] === 'string')
    return ['Seen by:', ...(services as readonly string[]).map((s) => `  ${s}`)]
  const rows = (services as readonly ServiceStatus[]).map((service) => [
    service.name,
    stateOf(service),
    inSyncOf(service),
    String(service.restarts ?? ''),
    (service.keys ?? []).join(', ') || '<none>',
  ])
  return [
    'Services:',
    indent(renderColumns(['NAME', 'STATE', 'IN-SYNC', 'RESTARTS', 'KEYS'], rows)),
  ]
}

const stateOf = ({ state = '', health, lastSeen }: ServiceStatus): string => {
  if (health !== undefined) return `${state} (${health})`
  return lastSeen?.state === undefined ? state : `${state} (was ${lastSeen.state})`
}

const inSyncOf = ({ state, wantedDigest, runningDigest }: ServiceStatus): string => {
  if (state === 'unknown') return 'unknown'
  if (wantedDigest === undefined) return '-'
  return wantedDigest === runningDigest ? 'yes' : 'no'
}

const renderConditions = (conditions: readonly Condition[] | undefined): string[] => {
  if (conditions === undefined || conditions.length === 0) return ['Conditions:  <none>']
  const rows = conditions.map((c) => [
    c.type,
    c.status,
    c.reason,
    c.lastTransitionTime,
    firstLine(c.message),
  ])
  const long = conditions.filter(({ message }) => message.includes('\n'))
  return [
    'Conditions:',
    indent(renderColumns(['TYPE', 'STATUS', 'REASON', 'SINCE', 'MESSAGE'], rows)),
    ...long.flatMap(({ type, message }) => [`${type} in full:`, indent(message)]),
  ]
}

const firstLine = (text: string): string => text.split('\n')[0] ?? ''

const renderEvents = (events: readonly EventView[]): string[] => {
  if (events.length === 0) return ['Events:  <none>']
  const rows = [...events]
    .sort((a, b) => (lastSeenOf(a) < lastSeenOf(b) ? -1 : 1))
    .map((e) => [lastSeenOf(e), e.type, e.reason, String(timesSeen(e)), firstLine(e.message)])
  return [
    'Events:',
    indent(renderColumns(['LAST SEEN', 'TYPE', 'REASON', 'COUNT', 'MESSAGE'], rows)),
  ]
}
