// The Kubernetes-style API over kept TLS connections, one for reads and one for writes, as a dashboard
// or an operator uses it.
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import type { Connection } from '../../scripts/lib/stagely.ts'

export interface StageletView {
  readonly metadata: { readonly resourceVersion: string }
  readonly status?: {
    readonly wantedRevision?: number
    readonly runningRevision?: number
    readonly conditions?: readonly {
      type: string
      status: string
      reason: string
      message: string
    }[]
  }
}

export interface ApiClient {
  /** The parsed reply; throws for a status other than 2xx. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<unknown>
  /** Writes a value as a change set of its own, so that its revision closes with the write. */
  writeValue(secret: string, value: string): Promise<void>
  /** Several of them in one change set. */
  writeValues(values: readonly (readonly [secret: string, value: string])[]): Promise<void>
  createSecret(name: string, scope: string, project: string, value: string): Promise<void>
  deleteSecret(name: string): Promise<void>
  stagelet(name: string): Promise<StageletView>
  close(): void
}

const base = '/apis/stagely.dev/v1alpha1/namespaces/default'

export const openApiClient = ({ url, env }: Connection): ApiClient => {
  const open = (): Agent =>
    new Agent({ keepAlive: true, maxSockets: 1, ca: readFileSync(env.STAGELY_CA_FILE) })
  const reads = open()
  // Behind the reads of ten stacks a change set would wait until it is closed in parts.
  const writes = open()
  let sets = 0
  const changeSet = (id = ++sets, isLast = true): Record<string, string> => ({
    'stagely-change-set': `bench-${process.pid}-${id}; last=${isLast}`,
  })
  const call: ApiClient['call'] = (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const agent = method === 'GET' ? reads : writes
      const sent = request(
        `${url}${path}`,
        { method, agent, headers: { authorization: `Bearer ${env.STAGELY_TOKEN}`, ...headers } },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
          response.on('end', () => {
            const status = response.statusCode ?? 0
            if (status >= 200 && status < 300) resolve(JSON.parse(text))
            else reject(new Error(`${method} ${path}: ${status} ${text.slice(0, 300)}`))
          })
        },
      )
      sent.on('error', reject)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  const writeValues: ApiClient['writeValues'] = async (values) => {
    const id = ++sets
    for (const [i, [secret, value]] of values.entries())
      await call(
        'PATCH',
        `${base}/stagelysecrets/${secret}`,
        { spec: { value } },
        {
          'content-type': 'application/merge-patch+json',
          ...changeSet(id, i === values.length - 1),
        },
      )
  }
  return {
    call,
    writeValues,
    writeValue: (secret, value) => writeValues([[secret, value]]),
    createSecret: async (name, scope, project, value) => {
      await call(
        'POST',
        `${base}/stagelysecrets`,
        JSON.parse(secretManifest({ name, scope, project, value })),
        { 'content-type': 'application/json', ...changeSet() },
      )
    },
    deleteSecret: async (name) => {
      await call('DELETE', `${base}/stagelysecrets/${name}`, undefined, changeSet())
    },
    stagelet: async (name) => (await call('GET', `${base}/stagelets/${name}`)) as StageletView,
    close: () => {
      reads.destroy()
      writes.destroy()
    },
  }
}

export const manifest = (kind: string, name: string, spec: object): string =>
  JSON.stringify({
    apiVersion: 'stagely.dev/v1alpha1',
    kind,
    metadata: { name, namespace: 'default' },
    spec,
  })

export const secretManifest = (of: {
  name: string
  scope: string
  project: string
  value: string
}): string =>
  manifest('StagelySecret', of.name, {
    projectRef: { name: of.project },
    key: of.name.toUpperCase().replaceAll('-', '_'),
    scope: of.scope,
    value: of.value,
  })

const isTrue = ({ status }: StageletView, type: string): boolean =>
  status?.conditions?.some((c) => c.type === type && c.status === 'True') === true

/** In sync, and the agent has done all that goes along with it. */
export const isAtRest = (view: StageletView): boolean =>
  isInSync(view) && !isTrue(view, 'Progressing')

export const isInSync = (view: StageletView): boolean => isTrue(view, 'SecretsInSync')
