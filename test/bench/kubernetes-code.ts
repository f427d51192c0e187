// Kubernetes' own code with etcd, as scripts/real-api-server.sh builds and runs it, for benches that measure it
// beside this controller.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { freePort, serve, until, type Server } from '../../scripts/lib/processes.ts'
import { root, type Connection } from '../../scripts/lib/stagely.ts'
import { childrenOf } from './proc.ts'
import { sender } from './send.ts'

const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')

/** Whether it was built here before: the first build takes the network and some minutes. */
export const isKubernetesCodeBuilt = (): boolean =>
  existsSync(join(cache, 'stagely/real-api-server/real-api-server'))

export interface KubernetesCode extends Connection {
  readonly tokenFile: string
  /** Of the API server and of etcd. */
  readonly pid: number
  readonly etcdPid: number
  stop(): Promise<void>
}

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }]
  readonly users: readonly [{ readonly user: { readonly token: string } }]
}

const buildMs = 1_800_000

const ready = (script: Server): Promise<true> =>
  until(
    () => {
      if (!script.running()) throw new Error(script.tail(3))
      return script.tail(1).startsWith('ready: ') ? true : undefined
    },
    buildMs,
    () => new Error(`not ready within 30 min; ${script.tail(3)}`),
    500,
  )

/** Throws with the end of the script's output where it cannot be built or run. */
export const startKubernetesCode = async (): Promise<KubernetesCode> => {
  const dir = mkdtempSync(`${tmpdir()}/stagely-bench-kubernetes-`)
  const file = join(dir, 'kubeconfig')
  const script = serve('bash', [join(root, 'scripts/real-api-server.sh'), file], {
    logFile: join(dir, 'log'),
    env: {
      STAGELY_API_PORT: String(await freePort(0)),
      STAGELY_ETCD_PORT: String(await freePort(0)),
    },
  })
  const stop = async (): Promise<void> => {
    await script.stop()
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    await ready(script)
    const { clusters, users } = parse(readFileSync(file, 'utf8')) as Kubeconfig
    const { cluster } = clusters[0]
    const url = cluster['server'] ?? ''
    const ca = join(dir, 'ca.crt')
    writeFileSync(ca, Buffer.from(cluster['certificate-authority-data'] ?? '', 'base64'))
    const { token } = users[0].user
    const tokenFile = join(dir, 'token')
    writeFileSync(tokenFile, token, { mode: 0o600 })
    const env = { STAGELY_SERVER: url, STAGELY_TOKEN: token, STAGELY_CA_FILE: ca }
    await declareSecrets({ url, env })
    const pids = new Map(childrenOf(script.pid).map(({ pid, name }) => [name, pid]))
    const [pid = NaN, etcdPid = NaN] = [pids.get('real-api-server'), pids.get('etcd')]
    return { url, env, tokenFile, pid, etcdPid, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Resolves when the server serves StagelySecrets. */
const declareSecrets = async (to: Connection): Promise<void> => {
  const { send, close } = sender(to, 1)
  const file = join(root, 'crds/stagely.dev_stagelysecrets.yaml')
  try {
    const crd = parse(readFileSync(file, 'utf8')) as object
    await send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd)
    const list = '/apis/stagely.dev/v1alpha1/stagelysecrets'
    await until(
      () =>
        send('GET', list).then(
          () => true,
          () => undefined,
        ),
      60_000,
      () => new Error('StagelySecrets are not served within 60 s'),
    )
  } finally {
    close()
  }
}
