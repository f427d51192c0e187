// A controller as a pod of a cluster has it: a process that finds its cluster by the variables and the
// files of a service account, in the fixed folder where every client looks, and by nothing else.
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'
import {
  controllerReady,
  freePort,
  startProgram,
  testMasterKey,
  type Program,
} from '../programs/processes.ts'

const account = '/run/secrets/kubernetes.io/serviceaccount'
/** Mounts are the process's own, which becomes the program and ends with this one. */
const within = (dir: string): string[] => [
  ...['unshare', '--mount', '--propagation', 'private', 'sh', '-c'],
  `set -e
mount -t tmpfs tmpfs /run
mkdir -p ${account}
mount --bind "$1" ${account}
shift
exec "$@"`,
  ...['sh', dir, 'setpriv', '--pdeathsig', 'KILL', '--'],
]

export interface Pod {
  readonly program: Program
  /** Of the controller's own API. */
  readonly url: string
}

export interface PodOptions {
  /** What it keeps lies there. */
  readonly dir: string
  readonly cluster: KubeConfig
  readonly token: string
  readonly databaseUrl: string
}

/** As a kubelet does it: at no moment there is half a token. */
export const putToken = async (dir: string, token: string): Promise<void> => {
  const file = join(dir, 'account', 'token')
  await writeFile(`${file}.new`, token)
  await rename(`${file}.new`, file)
}

export const startPod = async (options: PodOptions): Promise<Pod> => {
  const { dir, token, databaseUrl } = options
  const { server, caData = '' } = options.cluster.getCurrentCluster()!
  const { hostname, port } = new URL(server)
  await mkdir(join(dir, 'account'), { recursive: true })
  await writeFile(join(dir, 'account', 'ca.crt'), Buffer.from(caData, 'base64'))
  await writeFile(join(dir, 'account', 'namespace'), 'default')
  await putToken(dir, token)
  const url = `https://127.0.0.1:${await freePort()}`
  const data = join(dir, 'data')
  const program = await startProgram(
    ['controller', '--kubernetes', '--data-dir', data, '--listen', url.replace('https://', '')],
    {
      HOME: dir,
      KUBERNETES_SERVICE_HOST: hostname,
      KUBERNETES_SERVICE_PORT: port,
      DATABASE_URL: databaseUrl,
      STAGELY_SECRET_KEY: testMasterKey,
    },
    controllerReady,
    { within: within(join(dir, 'account')) },
  )
  return { program, url }
}
