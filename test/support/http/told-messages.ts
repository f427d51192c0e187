// Every message that tells somebody something: the rows of "Who learns what" in docs/security-model.md.
import type * as z from 'zod'
import { peerRequests } from '../../../controller/http/peers/requests.ts'
import { restRoutes } from '../../../controller/http/rest/table.ts'
import { agentPaths, orderMessage, streamMessage } from '../../../src/protocol/messages.ts'

const typesOf = (union: { readonly options: readonly unknown[] }): [string, z.ZodType][] =>
  union.options.map((option) => {
    const object = option as z.ZodObject<{ type: z.ZodLiteral<string> }>
    return [object.shape.type.value, object]
  })
export const orders = typesOf(orderMessage)
export const lines = typesOf(streamMessage)

/** Paths that carry what the name of an order is taken for. */
const answers: Readonly<Record<string, string>> = {
  logs: 'log-lines',
  tasks: 'task-facts',
}

export const toldMessages: readonly string[] = [
  ...new Set([
    ...[...orders, ...lines].map(([type]) => type),
    ...Object.keys(agentPaths).map((path) => answers[path] ?? path),
    ...Object.keys(peerRequests),
    ...restRoutes.filter(({ shownOnce }) => shownOnce !== undefined).map(({ id }) => id),
  ]),
].sort()

/** The name of the message that an agent posts to the path. */
export const messageAt = (path: string): string => {
  const [name = ''] = Object.entries(agentPaths).find(([, own]) => own === path) ?? []
  return answers[name] ?? name
}
