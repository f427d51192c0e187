// chart.mjs WORK [UID]: runs the image of the controller as a kubelet runs the Deployment of the chart: its arguments, variables,
// volumes, user, read-only root and probes are those that `helm template` prints. The chart's own user, or UID. Ends with 0
// when the pod was ready, answered a command in it and the pod of `helm test`, and stopped by its hook and a signal.
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'

const [work, uid] = process.argv.slice(2)
const root = join(import.meta.dirname, '../../..')
const name = `stagely-release-chart-${uid ?? 'own'}`
const docker = (...args) => execFileSync('docker', args, { encoding: 'utf8' }).trim()

// Without a cluster there is nothing to follow.
const flags = ['--set', 'kubernetes.enabled=false']
const text = execFileSync(process.env.HELM ?? 'helm', [
  ...['template', 'stagely', join(root, 'charts/stagely')],
  ...flags,
])
const objects = parseAllDocuments(text.toString()).map((document) => document.toJS())
const pod = objects.find((object) => object?.kind === 'Deployment').spec.template.spec
const [container] = pod.containers
const secret = (wanted) => {
  const { data, stringData } = objects.find(
    (object) => object?.kind === 'Secret' && object.metadata.name === wanted,
  )
  const plain = ([key, value]) => [key, Buffer.from(value, 'base64').toString()]
  return { ...Object.fromEntries(Object.entries(data ?? {}).map(plain)), ...stringData }
}

const { fsGroup } = pod.securityContext
const user = uid ?? pod.securityContext.runAsUser

/** What a kubelet makes of a volume: files of Secrets and folders are root's, and of the group `fsGroup`. */
const mountOf = ({ name: wanted, mountPath, readOnly }) => {
  const volume = pod.volumes.find((candidate) => candidate.name === wanted)
  if (volume.secret === undefined)
    return [
      '--tmpfs',
      `${mountPath}:mode=${volume.emptyDir ? '2777' : '2775'},uid=0,gid=${fsGroup}`,
    ]
  const folder = join(work, `${name}-${wanted}`)
  mkdirSync(folder)
  for (const [key, value] of Object.entries(secret(volume.secret.secretName))) {
    writeFileSync(join(folder, key), value)
    chownSync(join(folder, key), 0, fsGroup)
    chmodSync(join(folder, key), volume.secret.defaultMode)
  }
  return ['--volume', `${folder}:${mountPath}${readOnly ? ':ro' : ''}`]
}
const variableOf = ({ name: variable, value, valueFrom }) => {
  const from = valueFrom?.secretKeyRef
  return ['--env', `${variable}=${from ? secret(from.name)[from.key] : value}`]
}

docker(
  ...['run', '--detach', '--name', name, '--user', `${user}:${pod.securityContext.runAsGroup}`],
  ...[
    '--group-add',
    String(fsGroup),
    '--memory',
    container.resources.limits.memory.replace('i', ''),
  ],
  ...(container.securityContext.readOnlyRootFilesystem ? ['--read-only'] : []),
  ...(container.securityContext.allowPrivilegeEscalation
    ? []
    : ['--security-opt', 'no-new-privileges']),
  ...container.securityContext.capabilities.drop.flatMap((which) => ['--cap-drop', which]),
  ...container.env.flatMap(variableOf),
  ...container.volumeMounts.flatMap(mountOf),
  container.image,
  ...container.args,
)
try {
  const address = docker('inspect', name, '--format', '{{.NetworkSettings.IPAddress}}')
  const { containerPort } = container.ports[0]
  const passes = ({ httpGet: { path, scheme }, timeoutSeconds = 1 }) => {
    const url = `${scheme.toLowerCase()}://${address}:${containerPort}${path}`
    const args = ['-ksf', '--max-time', String(timeoutSeconds), '-o', '/dev/null', url]
    return spawnSync('curl', args).status === 0
  }
  const { startupProbe } = container
  let failures = 0
  while (!passes(startupProbe)) {
    failures += 1
    if (failures === startupProbe.failureThreshold) throw new Error('the startup probe failed')
    await new Promise((resolve) => setTimeout(resolve, startupProbe.periodSeconds * 1000))
  }
  for (const probe of ['readinessProbe', 'livenessProbe'])
    if (!passes(container[probe])) throw new Error(`the ${probe} failed`)
  docker('exec', name, 'stagely', 'get', 'namespaces')
  docker('exec', name, ...container.lifecycle.preStop.exec.command)
  // The pod of `helm test`, beside it. What a Service maps is not here.
  const service = objects.find((object) => object?.kind === 'Service')
  const { port } = service.spec.ports[0]
  const [tested] = objects.find((object) => object?.kind === 'Pod').spec.containers
  docker(
    ...['run', '--rm', '--read-only', '--cap-drop', 'ALL', '--user', '1000'],
    ...['--add-host', `${service.metadata.name}:${address}`, '--entrypoint', tested.command[0]],
    tested.image,
    ...[...tested.command.slice(1), ...tested.args].map((text) =>
      text.replace(`:${port}/`, `:${containerPort}/`),
    ),
  )
  docker('stop', '--time', String(pod.terminationGracePeriodSeconds), name)
  const code = docker('inspect', name, '--format', '{{.State.ExitCode}}')
  if (code !== '0') throw new Error(`the controller ended with ${code}`)
} catch (error) {
  process.stderr.write(execFileSync('docker', ['logs', name], { stdio: ['ignore', 'pipe', 2] }))
  throw error
}
