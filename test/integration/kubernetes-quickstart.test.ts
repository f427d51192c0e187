// `npm run quickstart:kubernetes` to its end: a real kubectl, helm, engine, controller and agent. What a
// cluster would do with the chart is done here: the rendered Deployment's command runs as a process, with
// its environment; `kubectl exec` runs in it. The cluster is this project's own API server.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, inject } from 'vitest'
import { itAsRoot } from '../support/as-root.ts'
import { ClusterApi } from '../support/cluster/api.ts'
import { installCrds } from '../support/cluster/cluster.ts'
import { startOwnServer, type OwnServer } from '../support/cluster/own-server.ts'
import { binary as helm, parseRendered, type Rendered } from '../support/kube/helm.ts'
import { memoryFolder } from '../support/memory-folder.ts'
import { freePort, startProgram, type Program } from '../support/programs/processes.ts'
import { createStack, idleService, type Stack } from '../support/docker/stack.ts'

const root = resolve(import.meta.dirname, '../..')
let cluster: OwnServer
let stack: Stack
let folder: string
let port: number
let controller: Program | undefined

beforeAll(async () => {
  cluster = await startOwnServer(inject('postgresUrl'))
  const api = new ClusterApi(cluster.kubeConfig, 'default')
  await installCrds(api)
  await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'stagely' } })
  stack = await createStack('')
  await stack.write(`name: ${stack.project}\nservices:\n${idleService('backend')}`)
  folder = await mkdtemp(join(memoryFolder, 'stagely-quickstart-'))
  // access(2) knows no capabilities: to the pod's user the volume would not be there.
  await chmod(folder, 0o711)
  port = await freePort()
  await writeFile(join(folder, 'kubeconfig'), cluster.kubeConfig.exportConfig())
  await writePrograms()
})
afterAll(async () => {
  await controller?.kill('SIGTERM')
  await stack.remove()
  await cluster.remove()
  await rm(folder, { recursive: true, force: true })
})

/** What stands for the kubelet, kind and the building of an image; the rest goes to the real programs. */
const writePrograms = async (): Promise<void> => {
  const programs = {
    kubectl: `case " $* " in
  *' rollout status '*) until [ -e ${folder}/ready ]; do sleep 0.2; done ;;
  *' port-forward '*) exec sleep 300 ;;
  *' exec '*) while [ "$1" != -- ]; do shift; done; shift 2; set -a; . ${folder}/env; exec node ${root}/dist/cli/main.js "$@" ;;
  *' current-context '*) echo kind-test ;;
  *) exec /usr/bin/kubectl "$@" ;;
esac`,
    helm: `shift 2; ${helm} template "$@" > ${folder}/rendered.new && mv ${folder}/rendered.new ${folder}/rendered.yaml`,
    kind: 'exit 0',
    docker: '[ "$1" = build ] && exit 0; exec /usr/bin/docker "$@"',
  }
  await mkdir(join(folder, 'bin'))
  for (const [name, text] of Object.entries(programs)) {
    const file = join(folder, 'bin', name)
    await writeFile(file, `#!/bin/bash\n${text}\n`)
    await chmod(file, 0o755)
  }
}

interface EnvEntry {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } }
}

/** The pod's user and no rights beside it, but to read this checkout wherever it lies. */
const asPod = [
  ...['setpriv', '--reuid', '1000', '--regid', '1000', '--clear-groups'],
  ...['inh-caps', 'ambient-caps', 'bounding-set'].map((set) => `--${set}=-all,+dac_read_search`),
]

/** As a kubelet mounts a new volume with an fsGroup. */
const makeVolume = async (path: string): Promise<void> => {
  for (const dir of [path, join(path, 'lost+found')]) {
    await mkdir(dir)
    await chown(dir, 0, 1000)
    await chmod(dir, 0o2775)
  }
}

/** Runs the command of the rendered Deployment, with its files and ports moved to where they may be. */
const runDeployment = async (rendered: readonly Rendered[]): Promise<void> => {
  const secretOf = (name: string, key: string): string => {
    const secret = rendered.find((o) => o.kind === 'Secret' && o.metadata.name === name)
    return Buffer.from((secret!['data'] as Record<string, string>)[key]!, 'base64').toString()
  }
  const moved = (text: string): string =>
    text
      .replace('/var/lib/stagely', join(folder, 'volume'))
      .replace('/etc/stagely/admin', folder)
      .replace('0.0.0.0:8443', `127.0.0.1:${port}`)
      .replace('localhost:8443', `localhost:${port}`)
  const deployment = rendered.find((o) => o.kind === 'Deployment')!
  const { spec } = (deployment['spec'] as { template: { spec: unknown } }).template as {
    spec: { containers: { args: string[]; env: EnvEntry[] }[] }
  }
  const { args, env } = spec.containers[0]!
  const variables = env.map(({ name, value, valueFrom }) => {
    const { secretKeyRef } = valueFrom ?? {}
    return [name, secretKeyRef ? secretOf(secretKeyRef.name, secretKeyRef.key) : moved(value!)]
  })
  await writeFile(join(folder, 'token'), secretOf('stagely-admin-token', 'token'))
  await writeFile(join(folder, 'env'), variables.map(([k, v]) => `${k}='${v}'\n`).join(''))
  const environment = Object.fromEntries(variables) as Record<string, string>
  const KUBECONFIG = join(folder, 'kubeconfig')
  await makeVolume(join(folder, 'volume'))
  const variablesOfPod = { ...environment, KUBECONFIG }
  controller = await startProgram(args.map(moved), variablesOfPod, 'ready on', { within: asPod })
  await writeFile(join(folder, 'ready'), '')
}

itAsRoot('one command goes from a cluster to a stack in sync', async () => {
  const child = spawn('bash', [join(root, 'scripts/quickstart-kubernetes.sh'), '--exit'], {
    env: {
      ...process.env,
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
      KUBECONFIG: join(folder, 'kubeconfig'),
      XDG_DATA_HOME: folder,
      STAGELY_PORT: String(port),
      STAGELY_STACK: stack.directory,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = once(child, 'close') as Promise<[number | null]>
  const file = join(folder, 'rendered.yaml')
  const read = (): Promise<string> => readFile(file, 'utf8').catch(() => '')
  while ((await read()) === '') {
    if (child.exitCode !== null) throw new Error(output)
    await sleep(100)
  }
  await runDeployment(parseRendered(await read()))
  const [code] = await ended
  expect(code, output).toBe(0)
  expect(output).toMatch(/^shop +True +\d+ +\d+ +web-1/m)
  expect((await stack.environmentOf('backend'))['DATABASE_URL']).toBe(
    'postgres://shop:change-me@db:5432/shop',
  )
})
