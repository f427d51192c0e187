// Finds the controller and speaks to it. Addresses, credentials, TLS and exec plugins are
// client-node's KubeConfig; requests are plain HTTP over its agent, because its generated clients
// can send neither a change-set header nor the Accept of a Table, and open a connection per request.
import type { RequestOptions } from 'node:http'
import type { KubeConfig } from '@kubernetes/client-node'
import { createApi, type Api } from './api.ts'
import { readConnectionEnv, readLogin } from './config.ts'
import { CliError } from './errors.ts'

export interface ConnectFlags {
  readonly kubeconfig?: string
  readonly namespace?: string
}

export interface Endpoint {
  readonly server: string
  readonly token?: string
  readonly caFile?: string
}

export const howToConnect =
  'set STAGELY_SERVER, STAGELY_TOKEN and STAGELY_CA_FILE, or run "stagely login"'

/** --kubeconfig, else STAGELY_SERVER, else what `login` stored, else KUBECONFIG. */
export const findEndpoint = async (): Promise<Endpoint | undefined> => {
  const env = readConnectionEnv()
  const login = await readLogin()
  const server = env.server ?? login?.server
  if (server === undefined) return undefined
  if (!URL.canParse(server)) {
    throw new CliError('STAGELY_SERVER must be a URL such as https://stagely.example:7443', 2)
  }
  // A stored token is for the stored server only: it must not go to another one.
  const stored = login?.server === server ? login : undefined
  const token = env.token ?? stored?.token
  const caFile = env.caFile ?? stored?.caFile
  return {
    server: server.replace(/\/+$/, ''),
    ...(token === undefined ? {} : { token }),
    ...(caFile === undefined ? {} : { caFile }),
  }
}

export const connect = async (flags: ConnectFlags): Promise<Api> => {
  const endpoint = flags.kubeconfig === undefined ? await findEndpoint() : undefined
  if (endpoint !== undefined) return connectTo(endpoint, flags.namespace)
  const file = flags.kubeconfig ?? readConnectionEnv().kubeconfig
  if (file === undefined) throw new CliError(`no controller is known: ${howToConnect}`)
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  try {
    config.loadFromFile(file)
  } catch (error) {
    throw new CliError(`cannot read the kubeconfig ${file}`, 1, error)
  }
  return openWith(config, undefined, flags.namespace)
}

const loopback = new Set(['127.0.0.1', '[::1]', 'localhost'])

/** Speaks to just this endpoint, whatever the environment says. */
export const connectTo = async (endpoint: Endpoint, namespace?: string): Promise<Api> => {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const { server, token, caFile } = endpoint
  const plain = server.startsWith('http:')
  if (plain && !loopback.has(new URL(server).hostname)) {
    throw new CliError(`${server} would send the token in the clear: use https`)
  }
  const config = new KubeConfig()
  config.loadFromClusterAndUser(
    // client-node speaks plain HTTP only when told that there is no certificate to check.
    { name: 'stagely', server, skipTLSVerify: plain, ...(caFile === undefined ? {} : { caFile }) },
    { name: 'stagely', ...(token === undefined ? {} : { token }) },
  )
  return openWith(config, caFile, namespace)
}

const openWith = async (
  config: KubeConfig,
  caFile: string | undefined,
  namespace: string | undefined,
): Promise<Api> => {
  const { Watch } = await import('@kubernetes/client-node')
  const server = config.getCurrentCluster()?.server
  if (server === undefined) {
    throw new CliError(`the kubeconfig has no current cluster; ${howToConnect}`)
  }
  const context = config.getContextObject(config.getCurrentContext())
  return createApi({
    server: server.replace(/\/+$/, ''),
    namespace: namespace ?? context?.namespace ?? 'default',
    options: () => requestOptions(config, caFile),
    watch: new Watch(config),
  })
}

const requestOptions = async (
  config: KubeConfig,
  caFile: string | undefined,
): Promise<RequestOptions> => {
  const options: RequestOptions = {}
  try {
    await config.applyToHTTPSOptions(options)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'EACCES') {
      throw new CliError(
        `cannot read the CA file ${caFile ?? ''} (${code}); check STAGELY_CA_FILE`,
        1,
        error,
      )
    }
    throw new CliError('cannot use these credentials; check the kubeconfig', 1, error)
  }
  const agent = options.agent
  // One connection for all requests of a command; idle sockets do not keep the process alive.
  if (typeof agent === 'object') Object.assign(agent, { keepAlive: true })
  return options
}
