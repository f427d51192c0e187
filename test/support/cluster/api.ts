// Requests to a cluster as a kubeconfig says, whichever cluster it is.
import http from 'node:http'
import https from 'node:https'
import { text } from 'node:stream/consumers'
import type { KubeConfig } from '@kubernetes/client-node'
import { collectionPath, objectPath, secretsPath } from '../../../controller/kubernetes/paths.ts'
import { refOf, type KubeObject } from '../../../src/resources/meta.ts'

export interface Sent {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers?: http.OutgoingHttpHeaders
  readonly signal?: AbortSignal
  readonly body?: string | NodeJS.ReadableStream
}

export const sendTo = async (config: KubeConfig, sent: Sent): Promise<http.IncomingMessage> => {
  const server = config.getCurrentCluster()!.server.replace(/\/+$/, '')
  const url = new URL(server + sent.path)
  const { method, signal, body } = sent
  const options: https.RequestOptions = { method, headers: { ...sent.headers } }
  await config.applyToHTTPSOptions(options)
  const { request, globalAgent } = url.protocol === 'https:' ? https : http
  // Its connections are kept; client-node would open a new one for each request.
  options.agent = globalAgent
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { ...options, ...(signal === undefined ? {} : { signal }) },
      resolve,
    )
    outgoing.once('error', reject)
    if (body === undefined || typeof body === 'string') outgoing.end(body)
    else body.pipe(outgoing)
  })
}

export class ClusterApi {
  readonly #config: KubeConfig
  readonly #namespace: string

  constructor(config: KubeConfig, namespace: string) {
    this.#config = config
    this.#namespace = namespace
  }

  /** Undefined for 404; rejects for any other failure. A server that asks for patience (429) is asked again. */
  async call<T = KubeObject>(
    method: string,
    path: string,
    body?: unknown,
    contentType = 'application/json',
  ): Promise<T | undefined> {
    const payload = body === undefined ? undefined : JSON.stringify(body)
    const headers =
      payload === undefined
        ? {}
        : { 'content-type': contentType, 'content-length': Buffer.byteLength(payload) }
    const sent = { method, path, headers, ...(payload === undefined ? {} : { body: payload }) }
    const response = await sendTo(this.#config, sent)
    const answer = await text(response)
    // As a real one does of a kind whose CRD it has just got, until its cache is there.
    if (response.statusCode === 429) {
      await new Promise((wake) => setTimeout(wake, 1_000))
      return this.call(method, path, body, contentType)
    }
    if (response.statusCode === 404) return undefined
    if ((response.statusCode ?? 500) >= 300)
      throw new Error(`${method} ${path}: ${response.statusCode} ${answer}`)
    return JSON.parse(answer) as T
  }

  async create(...objects: KubeObject[]): Promise<void> {
    for (const object of objects) {
      const namespace = object.kind === 'Namespace' ? undefined : refOf(object).namespace
      await this.call('POST', collectionPath(object.kind, namespace), object)
    }
  }

  get(kind: string, name: string): Promise<KubeObject | undefined> {
    return this.call('GET', this.#path(kind, name))
  }

  async list(kind: string): Promise<{ items: KubeObject[]; version: string }> {
    const path = collectionPath(kind, this.#namespace)
    const list = await this.call<{ items: KubeObject[]; metadata: { resourceVersion: string } }>(
      'GET',
      path,
    )
    return { items: list!.items, version: list!.metadata.resourceVersion }
  }

  /** Reads, edits and replaces, again where somebody else wrote meanwhile. */
  async change(kind: string, name: string, edit: (object: KubeObject) => void): Promise<void> {
    for (let tries = 1; ; tries++) {
      const object = (await this.get(kind, name))!
      edit(object)
      try {
        await this.call('PUT', this.#path(kind, name), object)
        return
      } catch (error) {
        if (tries === 10 || !String(error).includes('409')) throw error
      }
    }
  }

  async patch(kind: string, name: string, body: object): Promise<void> {
    await this.call('PATCH', this.#path(kind, name), body, 'application/merge-patch+json')
  }

  async remove(kind: string, name: string): Promise<void> {
    await this.call('DELETE', this.#path(kind, name))
  }

  async putSecret(name: string, data: Record<string, string>): Promise<void> {
    const path = secretsPath(this.#namespace)
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data }
    const replaced = await this.call('PUT', `${path}/${name}`, secret)
    if (replaced === undefined) await this.call('POST', path, secret)
  }

  #path(kind: string, name: string): string {
    return objectPath({ kind, namespace: this.#namespace, name })
  }
}
