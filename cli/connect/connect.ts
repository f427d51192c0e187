// Finds the controller and connects to it.
// Requests are plain HTTP. client-node's generated clients can send neither a change-set header nor the
// Accept of a Table, open a connection for each request, and cannot end a watch before the server
// answers. Its kubeconfig support (credentials, TLS, exec plugins) is used; it takes long to
// load, so only for a kubeconfig.
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import { delimiter } from 'node:path'
import type * as ClientNode from '@kubernetes/client-node'
import { defined } from '../../src/kernel/defined.ts'
import { readConnectionEnv } from '../config.ts'
import { CliError, cannot, failing } from '../errors.ts'
import { currentLogin, loginFor, loginNamed, readLogins } from '../logins.ts'

export interface ConnectFlags {
  readonly kubeconfig?: string
  /** Name of a stored login; with a kubeconfig, of one of its contexts. */
  readonly context?: string
  readonly namespace?: string
}

export interface LoginEndpoint {
  readonly server: string
  readonly token?: string
  readonly caFile?: string
  /** Namespace of commands without -n; absent: `default`. */
  readonly namespace?: string
}

/** A controller, and how requests are sent to it. */
export interface ControllerConnection {
  readonly server: string
  /** From -n, else the environment, the stored login or the kubeconfig's context, else `default`. */
  readonly namespace: string
  readonly options: () => Promise<http.RequestOptions>
}

export const howToConnect =
  'set STAGELY_SERVER, STAGELY_TOKEN and STAGELY_CA_FILE, run "stagely login", or choose a stored login by "stagely context NAME"'

/** The login that `context` names, else STAGELY_SERVER, else the login of STAGELY_CONTEXT or the current one. */
export const findEndpoint = async (context?: string): Promise<LoginEndpoint | undefined> => {
  const logins = await readLogins()
  if (context !== undefined) return loginNamed(logins, context)
  const env = readConnectionEnv()
  const chosen = env.context === undefined ? currentLogin(logins) : loginNamed(logins, env.context)
  const server = (env.server ?? chosen?.server)?.replace(/\/+$/, '')
  if (server === undefined) return undefined
  if (!URL.canParse(server)) {
    throw new CliError('STAGELY_SERVER must be a URL such as https://stagely.example:7443', 2)
  }
  // A stored token must not be sent to another server.
  const stored = chosen?.server === server ? chosen : loginFor(server, logins)
  const token = env.token ?? (await readTokenFile(env.tokenFile)) ?? stored?.token
  const caFile = env.caFile ?? stored?.caFile
  const namespace = env.namespace ?? stored?.namespace
  return { server, ...defined({ token, caFile, namespace }) }
}

/** The controller that flags, environment, stored login and kubeconfig name. */
export const findConnection = async (flags: ConnectFlags): Promise<ControllerConnection> => {
  const endpoint = flags.kubeconfig === undefined ? await findEndpoint(flags.context) : undefined
  if (endpoint !== undefined) return connectionTo(endpoint, flags.namespace)
  const files =
    flags.kubeconfig === undefined
      ? (readConnectionEnv().kubeconfig ?? '').split(delimiter).filter((file) => file !== '')
      : [flags.kubeconfig]
  if (files.length === 0) throw new CliError(`no controller is known: ${howToConnect}`)
  const config = loadKubeconfigs(await import('@kubernetes/client-node'), files)
  if (flags.context !== undefined) {
    if (config.getContextObject(flags.context) === null)
      throw new CliError(`the kubeconfig has no context "${flags.context}"`, 2)
    config.setCurrentContext(flags.context)
  }
  const server = config.getCurrentCluster()?.server
  if (server === undefined) {
    throw new CliError(`the kubeconfig has no current cluster; ${howToConnect}`)
  }
  const context = config.getContextObject(config.getCurrentContext())
  let options: Promise<http.RequestOptions> | undefined
  return {
    server: server.replace(/\/+$/, ''),
    namespace: flags.namespace ?? context?.namespace ?? 'default',
    options: () => (options ??= kubeconfigOptions(config)),
  }
}

/** Merges several kubeconfigs as kubectl does: the first file with a current context decides. */
const loadKubeconfigs = (library: Library, files: readonly string[]): ClientNode.KubeConfig => {
  const merged = new library.KubeConfig()
  for (const file of files) {
    try {
      const config = new library.KubeConfig()
      config.loadFromFile(file)
      merged.mergeConfig(config, Boolean(merged.currentContext))
    } catch (error) {
      throw new CliError(`cannot read the kubeconfig ${file}`, 1, error)
    }
  }
  return merged
}

const loopback = new Set(['127.0.0.1', '[::1]', 'localhost'])

/** True where what is sent to the URL stays on this machine. */
export const isLoopback = (url: string): boolean => loopback.has(new URL(url).hostname)

export const connectionTo = (
  endpoint: LoginEndpoint,
  namespace = endpoint.namespace ?? 'default',
): ControllerConnection => {
  const { server } = endpoint
  if (server.startsWith('http:') && !isLoopback(server)) {
    throw new CliError(`${server} would send the token in the clear: use https`)
  }
  let options: Promise<http.RequestOptions> | undefined
  return {
    server,
    namespace,
    options: () => (options ??= endpointOptions(endpoint)),
  }
}

type Library = typeof ClientNode

/** One connection for all requests of a command; idle sockets do not keep the process alive. */
const endpointOptions = async ({
  server,
  token,
  caFile,
}: LoginEndpoint): Promise<http.RequestOptions> => {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  if (server.startsWith('http:')) return { headers, agent: new http.Agent({ keepAlive: true }) }
  const ca = caFile === undefined ? {} : { ca: await readCa(caFile) }
  return { headers, agent: new https.Agent({ keepAlive: true, ...ca }) }
}

const readTokenFile = async (file: string | undefined): Promise<string | undefined> => {
  const remedy = '; check STAGELY_TOKEN_FILE'
  const text = file && readFile(file, 'utf8').catch(cannot(`read the token file ${file}`, remedy))
  return (await text)?.trim()
}

const readCa = (file: string): Promise<Buffer> =>
  readFile(file).catch(cannot(`read the CA file ${file}`, '; check STAGELY_CA_FILE'))

const kubeconfigOptions = async (config: ClientNode.KubeConfig): Promise<http.RequestOptions> => {
  const options: http.RequestOptions = {}
  await config
    .applyToHTTPSOptions(options)
    .catch(failing('cannot use these credentials; check the kubeconfig'))
  const agent = options.agent
  if (typeof agent === 'object') Object.assign(agent, { keepAlive: true })
  return options
}
