// Logs of a stagelet's containers. The agent reads and masks them.
import * as z from 'zod'
import { background } from '../../../../src/kernel/async/background.ts'
import { linkedAbort } from '../../../../src/kernel/async/linked-abort.ts'
import { defined } from '../../../../src/kernel/defined.ts'
import type { Fault } from '../../../../src/kernel/errors.ts'
import type { KubeObject } from '../../../../src/resources/meta.ts'
import { stageletSpec } from '../../../../src/kinds/stagelet/schema.ts'
import { rightsOf } from '../../../../src/store/core/actor.ts'
import { restNotFound } from '../access.ts'
import { invalidInput } from '../input.ts'
import { requireTarget, route, routesOf, type RestContext } from '../route.ts'

const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
/** Number of lines of each container, when neither `tail` nor `since` is given. */
const defaultTail = 1_000

/** `10m`, or a time in RFC 3339, as milliseconds since the epoch; undefined for anything else. */
const parseSince = (text: string, now: number): number | undefined => {
  const match = /^(\d{1,9})([smhd])$/.exec(text)
  if (match !== null) return now - Number(match[1]) * units[match[2] as keyof typeof units]
  return z.iso.datetime({ offset: true }).safeParse(text).success ? Date.parse(text) : undefined
}

const logsQuery = z.strictObject({
  follow: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .describe('Go on with what is written from now on, also by containers that come later.'),
  service: z
    .string()
    .min(1)
    .max(1_000)
    .transform((text) => text.split(','))
    .optional()
    .describe('Only of these services, separated by commas.'),
  since: z
    .string()
    .max(40)
    .optional()
    .describe('Nothing older: a time such as `10m`, `2h`, `1d`, or RFC 3339.'),
  tail: z
    .union([z.literal('all'), z.coerce.number().int().min(0).max(1_000_000)])
    .optional()
    .describe(
      `So many last lines of each container, or \`all\`. Without \`since\` ${defaultTail.toString()}.`,
    ),
})

const observed = z.object({ services: z.array(z.object({ name: z.string() })).default([]) })

/** Refuses an unknown service: it has no logs now or later, and is probably misspelt. */
const checkServices = ({ metadata, status }: KubeObject, asked: readonly string[]): void => {
  const services = observed.parse(status ?? {}).services.map((s) => s.name)
  if (services.length === 0) return
  const list = `no service of stagelet ${metadata.name}; there are: ${services.join(', ')}`
  const faults = asked
    .filter((name) => !services.includes(name))
    .map((name): Fault => {
      const message = `Invalid value: ${JSON.stringify(name)}: ${list}`
      return { field: 'service', reason: 'FieldValueInvalid', message }
    })
  if (faults.length > 0) throw invalidInput(faults)
}

/**
 * Ends with the request, and for a narrowed login also when the stagelet leaves its view: it may become one of production
 * while the stream is open.
 */
const whileSeen = async ({
  deps: { store },
  actor,
  signal,
  ...context
}: RestContext): Promise<AbortSignal> => {
  const { namespace = '', name, uid = '' } = requireTarget(context).metadata
  if (rightsOf(actor).narrowingIn(namespace) === undefined) return signal
  const version = await store.currentVersion()
  // It was found before that version.
  if ((await store.getByUid('Stagelet', uid)) === undefined) throw restNotFound('stagelet', name)
  const seen = linkedAbort(signal)
  const watch = async (): Promise<void> => {
    for await (const changes of store.watch(version, seen.signal))
      if (changes.some(({ type, object }) => type === 'DELETED' && object.metadata.uid === uid))
        break
    seen.abort()
  }
  background(watch, () => seen.abort())
  return seen.signal
}

export const logsRoutes = routesOf('Stagelets', [
  route({
    id: 'streamStageletLogs',
    at: 'GET /stagelets/:stagelet_id/logs',
    summary:
      'Logs of the containers, masked on their machine, as JSON lines: line, dropped (left out for a slow reader), end.',
    access: { in: 'stagelet', verb: 'get', resource: 'stagelets/logs' },
    query: logsQuery,
    response: { description: 'JSON lines (application/x-ndjson).' },
    handle: async (context) => {
      const { query, actor, deps } = context
      const target = requireTarget(context)
      const { namespace = '', name, uid = '' } = target.metadata
      const since =
        query.since === undefined ? undefined : parseSince(query.since, deps.clock.now())
      if (query.since !== undefined && since === undefined) {
        const message = `Invalid value: ${JSON.stringify(query.since)}: use 10m, 2h, 1d or RFC 3339`
        throw invalidInput([{ field: 'since', reason: 'FieldValueInvalid', message }])
      }
      checkServices(target, query.service ?? [])
      const all = query.tail === 'all' || (query.tail === undefined && since !== undefined)
      const tail = all ? undefined : ((query.tail as number | undefined) ?? defaultTail)
      const { agentRef } = stageletSpec.parse(target.spec)
      const signal = await whileSeen(context)
      await deps.audit.record(actor, { kind: 'Stagelet', namespace, name }, { action: 'read logs' })
      const stream = await deps.logs.open(
        {
          agentKey: `${namespace}/${agentRef.name}`,
          wish: {
            stageletUid: uid,
            follow: query.follow,
            ...defined({ services: query.service, since, tail }),
          },
        },
        signal,
      )
      return { headers: { 'content-type': 'application/x-ndjson' }, stream }
    },
  }),
])
