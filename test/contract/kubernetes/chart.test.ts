// The Helm chart: linted and rendered by the real helm, over a matrix of values.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chartValues } from '../../support/kube/chart-values.ts'
import { startTestController } from '../../support/programs/controller.ts'
import {
  at,
  chartDir,
  helm,
  parseRendered,
  renderChart,
  renderOnce,
  type Rendered,
} from '../../support/kube/helm.ts'
import { renderCrd } from '../../../src/resources/schemas/crd.ts'
import { crdKinds } from '../../../src/kinds/index.ts'
import { startHelmCluster } from '../../support/kube/helm-cluster.ts'
import { faultsOf } from '../../support/kube/kubernetes-schemas.ts'
import { programs } from '../../../scripts/release/image-base.mjs'
import { holds } from '../../support/kube/structural-schema.ts'

let scratch: string
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'stagely-chart-'))
})
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true })
})

const kept = { metadata: { annotations: { 'helm.sh/resource-policy': 'keep' } } }

const find = (objects: readonly Rendered[], kind: string, name?: string): Rendered | undefined =>
  objects.find((o) => o.kind === kind && (name === undefined || o.metadata.name === name))

const container = (objects: readonly Rendered[]): { args: string[]; env: unknown[] } =>
  at(find(objects, 'Deployment'), 'spec.template.spec.containers.0') as {
    args: string[]
    env: unknown[]
  }

test('helm lint finds nothing', async () => {
  const { code, stdout } = await helm('lint', '--strict', chartDir)
  expect({ code, stdout }).toMatchObject({ code: 0 })
  expect(stdout).not.toMatch(/\[(WARNING|ERROR)\]/)
})

test('what every combination of values renders follows the schemas of Kubernetes', async () => {
  const all: Rendered[] = []
  for (const set of Object.values(chartValues)) all.push(...(await renderOnce(...set)))
  expect(await faultsOf(all, scratch)).toEqual([])
  for (const kind of ['Certificate', 'ServiceMonitor', 'PrometheusRule', 'ConfigMap'])
    expect(find(all, kind)).toBeDefined()
})

const commandsIn = (value: unknown): string[] => {
  if (typeof value !== 'object' || value === null) return []
  const own = (value as { readonly command?: unknown }).command
  const here = Array.isArray(own) ? [String(own[0])] : []
  return [...here, ...Object.values(value).flatMap(commandsIn)]
}

test('what pods run is in the released image', async () => {
  const all: Rendered[] = []
  for (const set of Object.values(chartValues)) all.push(...(await renderOnce(...set)))
  const commands = new Set(all.flatMap(commandsIn))
  expect([...commands].sort()).toEqual(['node', 'sleep'])
  for (const command of commands) expect(Object.keys(programs)).toContain(command)
})

/** What the restricted Pod Security Standard lets a volume be. */
const volumeKinds = new Set(
  'configMap csi downwardAPI emptyDir ephemeral persistentVolumeClaim projected secret'.split(' '),
)

interface Pod {
  readonly containers: readonly object[]
  readonly initContainers?: readonly object[]
  readonly volumes?: readonly object[]
}

test.each(Object.entries(chartValues))(
  'with %s every pod meets the restricted Pod Security Standard',
  async (_, set) => {
    const objects = await renderOnce(...set)
    const pods = objects.flatMap((object) => {
      const pod = object.kind === 'Pod' ? object['spec'] : at(object, 'spec.template.spec')
      return pod === undefined ? [] : [pod as Pod]
    })
    // The controller, and that of helm test.
    expect(pods).toHaveLength(2)
    for (const pod of pods) {
      expect(pod).toMatchObject({
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      })
      expect(at(pod, 'securityContext.runAsUser')).not.toBe(0)
      for (const shared of ['hostNetwork', 'hostPID', 'hostIPC'])
        expect(pod).not.toHaveProperty(shared)
      for (const { name: _, ...volume } of (pod.volumes ?? []) as { name: string }[])
        for (const kind of Object.keys(volume)) expect(volumeKinds).toContain(kind)
      for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
        expect(at(container, 'securityContext')).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
        for (const port of (at(container, 'ports') ?? []) as object[])
          expect(port).not.toHaveProperty('hostPort')
      }
    }
  },
)

interface Rule {
  readonly ports?: readonly { readonly port: unknown; readonly protocol: string }[]
  readonly from?: readonly unknown[]
  readonly to?: readonly unknown[]
}

test('a NetworkPolicy lets agents in, and out what the controller needs', async () => {
  const policyOf = async (...set: string[]): Promise<{ ingress: Rule[]; egress: Rule[] }> => {
    const objects = await renderOnce('networkPolicy.enabled=true', ...set)
    const policy = find(objects, 'NetworkPolicy')
    expect(at(policy, 'spec.policyTypes')).toEqual(['Ingress', 'Egress'])
    const labels = at(find(objects, 'Deployment'), 'spec.template.metadata.labels') as object
    expect(labels).toMatchObject(at(policy, 'spec.podSelector.matchLabels') as object)
    const ports = at(container(objects), 'ports') as object[]
    expect(ports).toContainEqual({ name: 'https', containerPort: 8443 })
    return policy!['spec'] as { ingress: Rule[]; egress: Rule[] }
  }
  const https = [{ port: 'https', protocol: 'TCP' }]
  const open = await policyOf()
  expect(open.ingress[0]).toEqual({ ports: https })
  expect(open.egress).toContainEqual({})
  const peer = { ipBlock: { cidr: '192.0.2.0/24' } }
  const set = (name: string): string => `networkPolicy.${name}=[${JSON.stringify(peer)}]`
  const closed = await policyOf(set('from'), set('to'))
  expect(closed.ingress[0]).toEqual({ ports: https, from: [peer] })
  expect(closed.egress).toContainEqual({ to: [peer] })
  expect(closed.egress).not.toContainEqual({})
  expect(
    closed.egress[0]?.ports?.map(({ port, protocol }) => `${String(port)}/${protocol}`),
  ).toEqual(['53/UDP', '53/TCP'])
})

test('a NetworkPolicy lets in the other replicas and helm test, whoever else may', async () => {
  const set = ['networkPolicy.enabled=true', 'networkPolicy.from=[{"podSelector":{}}]']
  const objects = await renderOnce(...set)
  const [, ours] = at(find(objects, 'NetworkPolicy'), 'spec.ingress') as Rule[]
  const selected = ours!.from!.map(
    (peer) => at(peer, 'podSelector.matchLabels') as Record<string, string>,
  )
  const pods = [
    at(find(objects, 'Deployment'), 'spec.template.metadata.labels'),
    find(objects, 'Pod')!.metadata.labels,
  ]
  expect(selected).toHaveLength(2)
  for (const [i, labels] of selected.entries()) expect(pods[i]).toMatchObject(labels)
})

test('the check against the schemas sees a misspelt field, a wrong type and what is missing', async () => {
  const objects = await renderOnce(...chartValues['chosen namespaces, a KMS, add-ons']!)
  const wrong: Record<string, object[]> = {
    Deployment: [{ replicaz: 1 }, { replicas: '1' }, { selector: undefined }],
    Certificate: [{ dnsName: ['a'] }, { dnsNames: 'a' }, { issuerRef: undefined }],
    ServiceMonitor: [{ endpoint: [] }, { endpoints: {} }, { selector: undefined }],
  }
  const bad = Object.entries(wrong).flatMap(([kind, changes]) =>
    changes.map((change, i): Rendered => {
      const good = find(objects, kind)!
      const spec = { ...(good['spec'] as object), ...change }
      const metadata = { ...good.metadata, name: `wrong-${i}` }
      return JSON.parse(JSON.stringify({ ...good, metadata, spec })) as Rendered
    }),
  )
  const unknown = { ...bad[0]!, apiVersion: 'example.com/v1', kind: 'Unknown' }
  const faults = await faultsOf([...bad, unknown], scratch)
  const named = new Set(faults.map((fault) => fault.split(':')[0]))
  expect([...named].sort()).toEqual(
    [...bad, unknown].map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort(),
  )
})

describe('with no values', () => {
  let objects: Rendered[]
  beforeAll(async () => {
    objects = await renderOnce()
  })

  test('one controller keeps an embedded database on a volume of its own', () => {
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'stagely' } }, {}, {}]
    expect(find(objects, 'Deployment')).toMatchObject({
      spec: {
        replicas: 1,
        strategy: { type: 'Recreate' },
        template: { spec: { volumes } },
      },
    })
    expect(find(objects, 'PersistentVolumeClaim')).toMatchObject(kept)
  })

  test('a master key of 32 bytes is made, and outlives the release', () => {
    const secret = find(objects, 'Secret', 'stagely-master-key')
    const text = Buffer.from(at(secret, 'data.STAGELY_SECRET_KEY') as string, 'base64').toString()
    expect(Buffer.from(text, 'base64')).toHaveLength(32)
    expect(secret).toMatchObject(kept)
  })

  test("the administrator's token outlives the release, as the database that knows it does", () => {
    expect(find(objects, 'Secret', 'stagely-admin-token')).toMatchObject(kept)
  })

  test('the data folder is one below the volume, whose root is not its own', () => {
    const { args, env } = container(objects)
    expect(args).toContain('--data-dir=/var/lib/stagely/data')
    expect(env).toContainEqual({
      name: 'STAGELY_CA_FILE',
      value: '/var/lib/stagely/data/ca.crt',
    })
  })

  test('the Service stays while the key provider is away, and takes in no pod of a test', () => {
    const controller = at(find(objects, 'Deployment'), 'spec.template')
    const containers = at(controller, 'spec.containers.0')
    for (const probe of ['startupProbe', 'readinessProbe'])
      expect(at(containers, `${probe}.httpGet.path`)).toBe('/readyz?exclude=key-provider')
    const selector = at(find(objects, 'Service'), 'spec.selector') as object
    expect(at(controller, 'metadata.labels')).toMatchObject(selector)
    expect(find(objects, 'Pod')!.metadata).not.toMatchObject({ labels: selector })
  })

  test('the CRDs are those of the kinds, and outlive the release', () => {
    const crds = objects.filter((o) => o.kind === 'CustomResourceDefinition')
    const plurals = crds.map((crd) => at(crd, 'spec.names.plural'))
    expect(plurals.sort()).toEqual(crdKinds.map(({ plural }) => plural).sort())
    for (const crd of crds) {
      const kind = crdKinds.find(({ plural }) => plural === at(crd, 'spec.names.plural'))!
      expect(crd['spec']).toEqual(at(renderCrd(kind), 'spec'))
      expect(crd).toMatchObject(kept)
    }
  })

  test('the controller may do what it does, and nothing else', () => {
    const rules = at(find(objects, 'ClusterRole', 'default-stagely'), 'rules') as {
      apiGroups: string[]
      resources: string[]
      verbs: string[]
      resourceNames?: string[]
    }[]
    const rights = rules.flatMap(({ apiGroups, resources, verbs, resourceNames = [] }) =>
      resources.map((resource) =>
        [`${verbs.join(', ')}: ${apiGroups.join()}/${resource}`, ...resourceNames].join(' '),
      ),
    )
    expect(rights).toEqual([
      'list, watch: stagely.dev/projects',
      'list, watch: stagely.dev/stagelysecrets',
      'list, watch: stagely.dev/stagelets',
      'list, watch: stagely.dev/agents',
      'list, watch: stagely.dev/notifiers',
      'list, watch: stagely.dev/rotations',
      'list, watch: stagely.dev/secretstores',
      'list, watch: stagely.dev/trustedissuers',
      'list, watch: stagely.dev/accesspolicies',
      'patch: stagely.dev/stagelets',
      'patch: stagely.dev/projects/status',
      'patch: stagely.dev/stagelysecrets/status',
      'patch: stagely.dev/stagelets/status',
      'patch: stagely.dev/agents/status',
      'patch: stagely.dev/notifiers/status',
      'patch: stagely.dev/rotations/status',
      'patch: stagely.dev/secretstores/status',
      'patch: stagely.dev/trustedissuers/status',
      'patch: stagely.dev/accesspolicies/status',
      'get, create, patch: /events',
      'create: coordination.k8s.io/leases',
      'get, patch: coordination.k8s.io/leases stagely-controller',
      'list, watch: /secrets',
    ])
  })

  test('people get rights by the roles of the cluster, and by them alone', () => {
    const rightsOf = (name: string): unknown => at(find(objects, 'ClusterRole', name), 'rules.0')
    expect(find(objects, 'ClusterRole', 'default-stagely-view')?.metadata).toMatchObject({
      labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' },
    })
    expect(rightsOf('default-stagely-view')).toMatchObject({ verbs: ['get', 'list', 'watch'] })
    expect(find(objects, 'ClusterRole', 'default-stagely-edit')?.metadata).toMatchObject({
      labels: { 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' },
    })
    // Status is the controller's to write.
    expect(rightsOf('default-stagely-edit')).toMatchObject({
      resources: [
        'projects',
        'stagelysecrets',
        'stagelets',
        'agents',
        'notifiers',
        'rotations',
        'secretstores',
      ],
    })
    expect(objects.filter((o) => o.kind === 'ClusterRoleBinding')).toHaveLength(1)
  })

  test('a plain value is refused before it is stored in etcd', () => {
    const expression = at(
      find(objects, 'ValidatingAdmissionPolicy'),
      'spec.validations.0.expression',
    ) as string
    const admits = (spec: object): boolean => holds(expression, { spec }, 'object')
    const named = { projectRef: { name: 'shop' }, key: 'KEY' }
    expect(admits(named)).toBe(true)
    expect(admits({ ...named, sealedValue: 'x' })).toBe(true)
    expect(admits({ ...named, valueFrom: { secretRef: { name: 'x' } } })).toBe(true)
    expect(admits({ ...named, value: 'x' })).toBe(false)
    expect(admits({ ...named, value: '' })).toBe(false)
    expect(admits({ ...named, valueBase64: 'eA==' })).toBe(false)
    expect(at(find(objects, 'ValidatingAdmissionPolicyBinding'), 'spec.validationActions')).toEqual(
      ['Deny'],
    )
  })
})

test('several replicas share the database, and are replaced one after the other', async () => {
  const objects = await renderOnce(...chartValues['an external database by URL, three replicas']!)
  const deployment = find(objects, 'Deployment')
  expect(deployment).toMatchObject({
    spec: { replicas: 3, strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } },
  })
  expect(at(deployment, 'spec.template.spec.topologySpreadConstraints')).toHaveLength(2)
  expect(at(find(objects, 'PodDisruptionBudget'), 'spec.maxUnavailable')).toBe(1)
  expect(find(objects, 'PersistentVolumeClaim')).toBeUndefined()
})

test('a pod that is replaced has time to end its streams in order', async () => {
  const objects = await renderOnce(...chartValues['an external database by URL, three replicas']!)
  const pod = at(find(objects, 'Deployment'), 'spec.template.spec')
  const [command, seconds] = at(pod, 'containers.0.lifecycle.preStop.exec.command') as string[]
  expect(command).toBe('sleep')
  // The replica serves on until the Service has been told, and says no on /readyz afterwards.
  expect(Number(seconds)).toBeGreaterThanOrEqual(5)
  expect(at(pod, 'containers.0.readinessProbe.httpGet.path')).toContain('/readyz')
  // Its own stop is cut into steps of which the longest together take 55 s.
  expect(at(pod, 'terminationGracePeriodSeconds')).toBeGreaterThanOrEqual(Number(seconds) + 55)
  expect(at(pod, 'containers.0.args.0')).toBe('controller')
})

test('what was made at random is kept on an upgrade', async () => {
  const cluster = await startHelmCluster(await renderOnce())
  try {
    const kubeconfig = join(scratch, 'kubeconfig')
    writeFileSync(kubeconfig, cluster.kubeconfig, { mode: 0o600 })
    const flags = ['--dry-run=server', '--disable-openapi-validation', '--kubeconfig', kubeconfig]
    const made = ['stagely-master-key', 'stagely-admin-token']
    const secretsOf = async (): Promise<Rendered[]> => {
      const { code, stdout, stderr } = await helm('template', 'stagely', chartDir, ...flags)
      expect(code, stderr).toBe(0)
      return made.map((name) => find(parseRendered(stdout), 'Secret', name)!)
    }
    const first = await secretsOf()
    expect(await secretsOf()).not.toEqual(first)
    for (const secret of first) cluster.install(secret)
    expect(await secretsOf()).toEqual(first)
  } finally {
    await cluster.stop()
  }
})

test('the password of the database is in its Secret, and nowhere else', async () => {
  const objects = await renderOnce(...chartValues['an external database by URL, three replicas']!)
  const secret = find(objects, 'Secret', 'stagely-database')
  expect(at(secret, 'stringData.DATABASE_URL')).toContain('pw@db')
  expect(JSON.stringify(objects.filter((o) => o !== secret))).not.toContain('pw@db')
})

test('what others keep is not made', async () => {
  const objects = await renderOnce(...chartValues['everything of others']!)
  expect(find(objects, 'Secret')).toBeUndefined()
  expect(find(objects, 'ServiceAccount')).toBeUndefined()
  expect(container(objects).args).toContain('--tls-cert-file=/etc/stagely/tls/tls.crt')
})

test('with chosen namespaces there are no rights elsewhere', async () => {
  const objects = await renderOnce(...chartValues['chosen namespaces, a KMS, add-ons']!)
  const roles = objects.filter((o) => o.kind === 'Role')
  expect(roles.map((o) => o.metadata.namespace)).toEqual(['team-a', 'team-b'])
  expect(JSON.stringify(roles)).not.toContain('"secrets"')
  expect(find(objects, 'ClusterRoleBinding')).toBeUndefined()
  expect(container(objects).args).toContain('--kubernetes-namespace=team-b')
  expect(container(objects).env).toContainEqual({ name: 'STAGELY_KMS_KEY', value: 'alias/stagely' })
  expect(JSON.stringify(container(objects).env)).not.toContain('STAGELY_SECRET_KEY')
})

test('all can be made by somebody who has no rights but in the namespaces', async () => {
  const flags = ['crds.install', 'kubernetes.admissionPolicy', 'kubernetes.peopleRoles']
  const objects = await renderOnce(
    'kubernetes.namespaces=["team-a"]',
    ...flags.map((flag) => `${flag}=false`),
  )
  expect([...new Set(objects.map((o) => o.kind))].sort()).toEqual(
    'Deployment PersistentVolumeClaim Pod Role RoleBinding Secret Service ServiceAccount'.split(
      ' ',
    ),
  )
})

test('a key of Vault and a balancer are set as they are named', async () => {
  const objects = await renderOnce(
    ...chartValues['Vault, a NetworkPolicy with what may be reached, a balancer']!,
  )
  const { env, args } = container(objects)
  expect(env).toContainEqual({ name: 'STAGELY_KEY_PROVIDER', value: 'vault-transit' })
  expect(env).toContainEqual({ name: 'VAULT_ADDR', value: 'https://vault:8200' })
  expect(args).toContain('--advertise-url=https://stagely.example.com:8443')
  expect(at(container(objects), 'volumeMounts')).toContainEqual({
    name: 'vault',
    mountPath: '/vault',
    readOnly: true,
  })
  expect(at(find(objects, 'Deployment'), 'spec.template.spec.volumes')).toContainEqual({
    name: 'vault',
    secret: { secretName: 'vault' },
  })
  expect(at(find(objects, 'PodDisruptionBudget'), 'spec.maxUnavailable')).toBe(2)
  expect(at(find(objects, 'Service'), 'spec.type')).toBe('LoadBalancer')
  expect(JSON.stringify(find(objects, 'NetworkPolicy'))).toContain('10.0.0.0/8')
})

const certManager = ['tls.mode="certManager"', 'tls.certManager.issuerRef.name="ca"']

test('agents pin the CA of an issuer of cert-manager, and reach every name of its certificate', async () => {
  const url = 'controller.advertiseUrl="https://stagely.example.com:8443"'
  const objects = await renderOnce(...certManager, url)
  expect(container(objects).args).toContain('--tls-ca-file=/etc/stagely/tls/ca.crt')
  expect(at(find(objects, 'Certificate'), 'spec.dnsNames')).toEqual([
    'stagely',
    'stagely.default',
    'stagely.default.svc',
    'stagely.default.svc.cluster.local',
    'stagely.example.com',
  ])
  const byAddress = await renderOnce(
    ...certManager,
    url.replace('stagely.example.com', '192.0.2.7'),
  )
  expect(at(find(byAddress, 'Certificate'), 'spec.ipAddresses')).toEqual(['192.0.2.7'])
})

test('a public issuer is asked for public names only', async () => {
  const objects = await renderOnce(
    ...chartValues['a public certificate of cert-manager behind an Ingress']!,
  )
  expect(at(find(objects, 'Certificate'), 'spec.dnsNames')).toEqual([
    'stagely.example.com',
    'secrets.example.com',
  ])
  expect(container(objects).args.join(' ')).not.toContain('--tls-ca-file')
  const nameless = [...certManager, 'controller.agentTrust="system"']
  await expect(renderOnce(...nameless)).rejects.toThrow(/no public name for the certificate/)
})

test('behind an Ingress agents trust its certificate, or see through it', async () => {
  const behind = ['ingress.enabled=true', 'ingress.host="stagely.example.com"']
  await expect(renderOnce(...behind)).rejects.toThrow(/controller\.agentTrust=system/)
  const passthrough = 'ingress.annotations={"nginx.ingress.kubernetes.io/ssl-passthrough":"true"}'
  expect(find(await renderOnce(...behind, passthrough), 'Ingress')).toBeDefined()
  const notes = await notesOf(...behind, 'controller.agentTrust="system"')
  expect(notes).toContain('--server https://stagely.example.com --token-file')
  expect(notes).not.toContain('ca.crt')
})

test('another URL of the database replaces the pods, and the pods show nothing of it', async () => {
  const noteOf = async (url: string): Promise<unknown> => {
    const objects = await renderChart(`database.url="${url}"`)
    const annotations = at(find(objects, 'Deployment'), 'spec.template.metadata.annotations')
    expect(JSON.stringify(annotations)).not.toContain(
      createHash('sha256').update(url).digest('hex').slice(0, 16),
    )
    return (annotations as Record<string, unknown>)['checksum/database']
  }
  const one = await noteOf('postgres://stagely:one@db/stagely')
  expect(one).toMatch(/^[0-9a-f]{16}$/)
  expect(await noteOf('postgres://stagely:one@db/stagely')).toBe(one)
  expect(await noteOf('postgres://stagely:two@db/stagely')).not.toBe(one)
})

const notesOf = async (...set: string[]): Promise<string> => {
  const flags = set.flatMap((value) => ['--set-json', value])
  const { stdout } = await helm('install', 'stagely', chartDir, '--dry-run=client', ...flags)
  return stdout.split('NOTES:')[1] ?? ''
}

test('helm test says whether the controller is ready', async () => {
  const pod = find(await renderOnce(), 'Pod')
  const { command, args } = at(pod, 'spec.containers.0') as { command: string[]; args: string[] }
  const service = 'https://stagely:8443/readyz'
  expect(args[0]).toContain(`'${service}'`)
  const runAt = async (url: string): Promise<number> => {
    const [, ...flags] = command
    const script = args[0]!.replace(service, url)
    const child = spawn(process.execPath, [...flags, script], { stdio: 'ignore' })
    const [code] = (await once(child, 'close')) as [number]
    return code
  }
  const controller = await startTestController()
  try {
    expect(await runAt(`${controller.url}/readyz`)).toBe(0)
    expect(await runAt(`${controller.url}/no-such-page`)).toBe(1)
  } finally {
    await controller.remove()
  }
  // Nobody is there any more.
  expect(await runAt(`${controller.url}/readyz`)).toBe(1)
})

test('the pod of helm test runs where the controller does, and asks for little', async () => {
  const set = [
    'nodeSelector={"disk":"ssd"}',
    'tolerations=[{"key":"only","operator":"Exists"}]',
    'affinity={"nodeAffinity":{}}',
    'priorityClassName="high"',
    'imagePullSecrets=[{"name":"registry"}]',
  ]
  const objects = await renderOnce(...set)
  const pod = at(find(objects, 'Pod'), 'spec') as Record<string, unknown>
  const controller = at(find(objects, 'Deployment'), 'spec.template.spec') as typeof pod
  const shared = set.map((value) => value.split('=')[0]!)
  for (const field of shared) {
    expect(pod[field], field).toBeDefined()
    expect(pod[field], field).toEqual(controller[field])
  }
  // A quota of a namespace refuses pods that do not say what they need.
  expect(at(pod, 'containers.0.resources')).toMatchObject({
    requests: { cpu: expect.any(String) as string, memory: expect.any(String) as string },
    limits: { memory: expect.any(String) as string },
  })
})

test('NOTES say the next step', async () => {
  const notes = await notesOf()
  expect(notes).toContain('stagely agent token create --namespace default --name web-1')
  expect(notes).toContain('stagely agent run --data-dir')
  expect(notes).toMatch(/Keep a copy of the Secret stagely-master-key/)
  expect(notes).toContain('kubectl -n default get stagely')
})

test('NOTES speak of a namespace that is followed', async () => {
  const notes = await notesOf('kubernetes.namespaces=["team-a","team-b"]')
  expect(notes).toContain('agent token create --namespace team-a --name web-1')
  expect(notes).toContain('kubectl -n team-a get stagely')
  expect(await notesOf('kubernetes.enabled=false')).not.toContain('get stagely')
})
