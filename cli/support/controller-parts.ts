// The bundle's parts about the controller, read through the APIs that everybody uses.
import type { LogLine } from '../../src/protocol/logs.ts'
import { createApi, type KubeApi } from '../connect/api.ts'
import type { ControllerConnection } from '../connect/connect.ts'
import { CliError } from '../errors.ts'
import { servedKind } from '../output/kinds.ts'
import { readLogs } from '../logs.ts'
import { listObjects } from '../objects/objects.ts'
import { toYaml } from '../output/yaml.ts'
import { createRest, type RestClient } from '../connect/rest.ts'
import { exchange, type Call } from '../connect/transport.ts'
import type { BundlePart } from './part.ts'
import { cleanObject } from './redact.ts'

const deadlineMs = 20_000

const limited = (call: Call = {}): Call => ({ ...call, signal: AbortSignal.timeout(deadlineMs) })

/** Bundles are made because of a controller that hangs: no request waits long. */
const withDeadline = ({
  api,
  rest,
}: {
  api: KubeApi
  rest: RestClient
}): { api: KubeApi; rest: RestClient } => ({
  api: { ...api, call: (path, call) => api.call(path, limited(call)) },
  rest: {
    ...rest,
    call: (path, call) => rest.call(path, limited(call)),
    stream: (path, call) => rest.stream(path, limited(call)),
  },
})

const objectsPart = (api: KubeApi, kind: string, namespace: string | undefined): BundlePart => ({
  name: `controller/${servedKind(kind).plural}.yaml`,
  what: `every ${kind} that you may see, with its status`,
  read: async () => {
    const items = await listObjects(api, servedKind(kind), { namespace })
    return toYaml({ apiVersion: 'v1', kind: 'List', items: items.map(cleanObject) })
  },
})

const logsPart = (rest: RestClient, stagelet: string): BundlePart => ({
  name: `controller/logs-${stagelet}.txt`,
  what: 'the last lines of its containers, masked on their machine',
  read: async () => {
    const lines: string[] = []
    const onLine = ({ time, container, stream, text }: LogLine): void => {
      lines.push(`${time} ${container} ${stream} ${text}`)
    }
    const path = `/stagelets/${encodeURIComponent(`${rest.namespace}/${stagelet}`)}/logs`
    const query = { follow: false, service: undefined, since: undefined, tail: undefined }
    const ignore = (): void => undefined
    await readLogs({ rest, path }, query, { onLine, onDropped: ignore, onBroken: ignore })
    return lines.join('\n')
  },
})

interface ControllerChoice {
  /** undefined: everything that the person may see. */
  readonly namespace: string | undefined
  /** Stagelets whose logs are included. */
  readonly logs: readonly string[]
}

export const controllerParts = (
  connection: ControllerConnection,
  choice: ControllerChoice,
): BundlePart[] => {
  const { server, namespace, options } = connection
  const { api, rest } = withDeadline({
    api: createApi({ server, namespace, options }),
    rest: createRest(connection),
  })
  const page = async (path: string): Promise<string> => {
    const { status, text } = await exchange(server, path, limited(), await options())
    return `${status} ${text}`
  }
  const answer = async (path: string): Promise<string> =>
    JSON.stringify((await rest.call(path)).body, null, 2)
  const declared = ['Project', 'StagelySecret', 'Stagelet', 'Agent']
  const kinds = [...declared, 'Rotation', 'SecretStore', 'Notifier', 'Event']
  return [
    {
      name: 'controller/version.json',
      what: 'its version',
      read: async () => JSON.stringify(await api.call('/version'), null, 2),
    },
    {
      name: 'controller/health.txt',
      what: 'status and text of /healthz and /readyz',
      read: async () =>
        `server ${server}\nhealthz ${await page('/healthz')}\nreadyz ${await page('/readyz')}`,
    },
    ...kinds.map((kind) => objectsPart(api, kind, choice.namespace)),
    {
      name: 'controller/metrics.txt',
      what: 'its metrics',
      read: async () => {
        const { status, text } = await exchange(server, '/metrics', limited(), await options())
        if (status !== 200) throw new CliError(`/metrics answered ${status}`)
        return text
      },
    },
    {
      name: 'controller/keys.json',
      what: 'which keys there are and how old they are, never a key (admins)',
      read: () => answer('/keys'),
    },
    {
      name: 'controller/audit-head.json',
      what: 'the signed head of the audit log, no rows of it (auditors)',
      read: () => answer('/audit/head'),
    },
    ...choice.logs.map((stagelet) => logsPart(rest, stagelet)),
  ]
}
