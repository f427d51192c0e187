// What others apply with: client-node's server-side apply, and `helm template` piped into kubectl.
import {
  CustomObjectsApi,
  KubernetesObjectApi,
  PatchStrategy,
  setHeaderOptions,
  V1ObjectMeta,
  type ApiException,
  type KubernetesObject,
} from '@kubernetes/client-node'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startTestController, type TestController } from '../../support/programs/controller.ts'
import { eventually } from '../../support/eventually.ts'
import { helm, helmWith } from '../../support/kube/helm.ts'
import { createKubectl, type Kubectl } from '../../support/kubectl/run.ts'
import { createTestDatabase } from '../../support/databases/test-database.ts'

const apiVersion = 'stagely.dev/v1alpha1'
const group = { group: 'stagely.dev', version: 'v1alpha1', namespace: 'default' }

let server: TestController
beforeAll(async () => {
  server = await startTestController()
})
afterAll(() => server.remove())

interface Custom extends KubernetesObject {
  spec?: Record<string, unknown>
}
const custom = (
  kind: string,
  name: string,
  spec: Record<string, unknown>,
  labels?: Record<string, string>,
): Custom => ({
  apiVersion,
  kind,
  metadata: Object.assign(new V1ObjectMeta(), {
    name,
    namespace: 'default',
    ...(labels === undefined ? {} : { labels }),
  }),
  spec,
})
const stagelet = (name: string, compose: object): Custom =>
  custom('Stagelet', name, { projectRef: { name: 'shop' }, agentRef: { name: 'box' }, compose })

type Apply = (manager: string, object: Custom, force?: boolean) => Promise<Custom>

const byObject: Apply = (manager, object, force) =>
  KubernetesObjectApi.makeApiClient(server.kubeConfig()).patch(
    ...([object, undefined, undefined, manager, force, PatchStrategy.ServerSideApply] as const),
  )

const byCustomObject: Apply = (manager, object, force) =>
  server
    .kubeConfig()
    .makeApiClient(CustomObjectsApi)
    .patchNamespacedCustomObject(
      {
        ...group,
        plural: `${object.kind!.toLowerCase()}s`,
        name: object.metadata!.name!,
        body: object,
        fieldManager: manager,
        ...(force === undefined ? {} : { force }),
      },
      setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply),
    ) as Promise<Custom>

interface Refusal {
  readonly reason: string
  readonly message: string
  readonly details: { readonly causes: readonly object[] }
}
/** The `Status` of a request that is refused. CustomObjectsApi leaves its body as text. */
const refusalOf = async (request: Promise<unknown>): Promise<[number, Refusal]> => {
  const error = await request.then(
    () => undefined,
    (thrown: unknown) => thrown as ApiException<unknown>,
  )
  if (error === undefined) throw new Error('was not refused')
  const { code, body } = error
  return [code, (typeof body === 'string' ? JSON.parse(body) : body) as Refusal]
}

describe.each([
  ['KubernetesObjectApi', 'o', byObject],
  ['CustomObjectsApi', 'c', byCustomObject],
] as const)('server-side apply by %s of client-node', (_, name, apply) => {
  const compose = { directory: `/srv/${name}`, files: ['compose.yaml'], onChange: 'Hold' }

  it('creates, and writes nothing when it comes again', async () => {
    const quiet = custom('Agent', name, {})
    const { metadata } = await apply('alice', quiet)
    expect(metadata?.uid).toBeTypeOf('string')
    expect((await apply('alice', quiet)).metadata).toEqual(metadata)
  })

  it('meets the owner of a field: 409 with each field and manager, until it is forced', async () => {
    await apply('alice', stagelet(name, compose))
    const mine = stagelet(name, { ...compose, files: ['prod.yaml'], onChange: 'Deploy' })
    const [code, refusal] = await refusalOf(apply('bob', mine))
    const cause = { reason: 'FieldManagerConflict', message: 'conflict with "alice"' }
    expect([code, refusal]).toMatchObject([
      409,
      {
        reason: 'Conflict',
        message:
          'Apply failed with 2 conflicts: conflicts with "alice":\n- .spec.compose.files\n- .spec.compose.onChange',
        details: {
          causes: [
            { ...cause, field: '.spec.compose.files' },
            { ...cause, field: '.spec.compose.onChange' },
          ],
        },
      },
    ])
    const forced = await apply('bob', mine, true)
    expect(forced.spec?.['compose']).toMatchObject({ files: ['prod.yaml'], onChange: 'Deploy' })
    const [again] = await refusalOf(apply('alice', stagelet(name, compose)))
    expect(again).toBe(409)
  })

  it('takes away what it no longer says, and leaves what another says too', async () => {
    const other = `${name}-removal`
    const labelled = (manager: string, labels: Record<string, string>): Promise<Custom> =>
      apply(manager, custom('Project', other, {}, labels))
    await labelled('alice', { mine: '1', ours: '1' })
    await labelled('bob', { ours: '1' })
    const { metadata } = await labelled('alice', {})
    expect(metadata?.labels).toEqual({ ours: '1' })
    expect((await labelled('bob', {})).metadata).not.toHaveProperty('labels')
  })

  it('is refused without a manager', async () => {
    const [code, { message }] = await refusalOf(apply('', custom('Project', `${name}-nobody`, {})))
    expect([code, message]).toEqual([
      422,
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    ])
  })
})

/** A chart as somebody would write it for a stack. */
const chart: Readonly<Record<string, string>> = {
  'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 0.1.0\n',
  'values.yaml': 'agent: box\ndirectory: /srv/helm\nlogLevel: info\n',
  'templates/project.yaml': `apiVersion: ${apiVersion}
kind: Project
metadata:
  name: {{ .Release.Name }}
  labels: {app.kubernetes.io/managed-by: {{ .Release.Service }}}
spec:
  description: {{ printf "Shop on %s" .Values.agent | quote }}
`,
  'templates/stack.yaml': `apiVersion: ${apiVersion}
kind: Agent
metadata: {name: {{ .Values.agent }}}
---
apiVersion: ${apiVersion}
kind: Stagelet
metadata: {name: {{ .Release.Name }}}
spec:
  projectRef: {name: {{ .Release.Name }}}
  agentRef: {name: {{ .Values.agent }}}
  compose: {directory: {{ .Values.directory }}}
---
apiVersion: ${apiVersion}
kind: StagelySecret
metadata: {name: {{ .Release.Name }}-log-level}
spec:
  projectRef: {name: {{ .Release.Name }}}
  key: LOG_LEVEL
  value: {{ .Values.logLevel }}
`,
}

describe('helm template', () => {
  let kubectl: Kubectl
  let folder: string
  beforeAll(async () => {
    kubectl = await createKubectl(await server.writeKubeConfig())
    folder = await mkdtemp(join(tmpdir(), 'stagely-chart-'))
    await mkdir(join(folder, 'templates'))
    for (const [name, text] of Object.entries(chart)) await writeFile(join(folder, name), text)
  })
  afterAll(async () => {
    await kubectl.remove()
    await rm(folder, { recursive: true, force: true })
  })

  const rendered = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await helm('template', 'helmed', folder, ...args)
    expect([code, stderr]).toEqual([0, ''])
    return stdout
  }
  const said = (how: Readonly<Record<string, string>>): string[] =>
    ['agent/box', 'project/helmed', 'stagelet/helmed', 'stagelysecret/helmed-log-level'].map(
      (of) => `${of.replace('/', '.stagely.dev/')} ${how[of] ?? how['else']!}`,
    )
  const lines = (text: string): string[] => text.trim().split('\n').sort()

  it('is what kubectl applies: created, then unchanged, then only what its values change', async () => {
    const text = await rendered()
    const first = await kubectl.fed(text, 'apply', '-f', '-')
    expect(first).toMatchObject({ code: 0, stderr: expect.not.stringContaining('rror') as string })
    expect(lines(first.stdout)).toEqual(said({ else: 'created' }))

    // kubectl sends a secret's value each time, since no answer has it: the stored version stays.
    const version = ['get', 'ssec', 'helmed-log-level', '-o', 'jsonpath={.status.version}']
    const before = (await kubectl(...version)).stdout
    const again = await kubectl.fed(text, 'apply', '-f', '-')
    const secret = 'stagelysecret/helmed-log-level'
    expect(again).toMatchObject({ code: 0, stderr: '' })
    expect(lines(again.stdout)).toEqual(said({ else: 'unchanged', [secret]: 'configured' }))
    expect([before, (await kubectl(...version)).stdout]).toEqual(['1', '1'])

    const changed = await kubectl.fed(
      await rendered('--set', 'directory=/srv/new'),
      'apply',
      '-f',
      '-',
    )
    expect(lines(changed.stdout)).toEqual(
      said({ else: 'unchanged', 'stagelet/helmed': 'configured', [secret]: 'configured' }),
    )
  })

  it('is what kubectl deletes, whichever of it comes first', async () => {
    const text = await rendered()
    expect(await kubectl.fed(text, 'apply', '-f', '-')).toMatchObject({ code: 0 })
    const deleted = await kubectl.fed(text, 'delete', '-f', '-')
    expect(deleted).toMatchObject({ code: 0, stderr: '' })
    const dry = await kubectl.fed(text, 'apply', '--dry-run=server', '-f', '-')
    expect([dry.code, lines(dry.stdout).length]).toEqual([0, 4])
    expect(dry.stderr).toMatch(
      /Warning: .*Project \"helmed\" does not exist in namespace \"default\" yet/,
    )
    expect(await kubectl.fed(text, 'diff', '-f', '-')).toMatchObject({ code: 1 })
    expect((await kubectl('get', 'projects', '-o', 'name')).stdout).not.toContain('helmed')
  })

  it('is what Helm installs, upgrades and uninstalls, with its releases in a database', async () => {
    const database = await createTestDatabase(inject('postgresUrl'))
    const url = new URL(database.url)
    url.searchParams.set('sslmode', 'disable')
    const driver = { HELM_DRIVER: 'sql', HELM_DRIVER_SQL_CONNECTION_STRING: url.href }
    const run = async (...args: string[]): Promise<void> => {
      const to = ['--namespace', 'default', '--kubeconfig', await server.writeKubeConfig()]
      const { code, stderr } = await helmWith(driver, ...args, ...to)
      expect([args[0], code, stderr.includes('rror')]).toEqual([args[0], 0, false])
    }
    const told = async (): Promise<string[]> => {
      const paths = '{.status.wantedRevision},{.spec.compose.directory}'
      const { stdout } = await kubectl('get', 'stagelet/fresh', '-o', `jsonpath=${paths}`)
      return stdout.split(',')
    }
    try {
      await run('install', 'fresh', folder)
      // Helm wrote the Stagelet first; its first revision is the one that has the secret.
      await eventually(told).toEqual(['1', '/srv/helm'])
      await run('upgrade', 'fresh', folder, '--set', 'directory=/srv/new')
      expect(await told()).toEqual(['1', '/srv/new'])
      await run('uninstall', 'fresh')
      expect((await kubectl('get', 'ssec', '-o', 'name')).stdout).not.toContain('fresh')
    } finally {
      await database.drop()
    }
  })

  it('is what kubectl applies on the server: the second time nothing changes', async () => {
    const text = await rendered('--set', 'agent=ssa')
    const apply = ['apply', '--server-side', '--field-manager=helm', '--force-conflicts', '-f', '-']
    const versions = ['get', 'agent/ssa', 'project/helmed', 'stagelysecret/helmed-log-level', '-o']
    await kubectl.fed(text, ...apply)
    const specs = [...versions, 'jsonpath={range .items[*]}{.metadata.generation}{"\\n"}{end}']
    const before = (await kubectl(...specs)).stdout
    expect(before).toMatch(/^(\d+\n){3}$/)
    expect((await kubectl.fed(text, ...apply)).code).toBe(0)
    expect((await kubectl(...specs)).stdout).toBe(before)
  })
})

/** What an object is to Flux and Argo CD: nothing of the server's own, but for labels and annotations. */
interface Live {
  readonly metadata: {
    readonly resourceVersion?: string
    readonly labels?: object
    readonly annotations?: object
  }
  readonly spec?: object
}

describe('the steps of GitOps controllers', () => {
  const resources = {
    Project: 'projects',
    Agent: 'agents',
    Stagelet: 'stagelets',
    StagelySecret: 'stagelysecrets',
  }
  const pathOf = ({ kind, metadata }: Custom): string =>
    `/apis/${apiVersion}/namespaces/default/${resources[kind as keyof typeof resources]}/${metadata?.name}`

  const send = async (method: string, path: string, body?: object): Promise<[number, Live]> => {
    const headers = { 'content-type': 'application/apply-patch+yaml' }
    const { status, text } = await server.call(method, path, body && { body, headers })
    return [status, JSON.parse(text) as Live]
  }

  /** As `Diff` and `Apply` of github.com/fluxcd/pkg/ssa decide: a dry run first, and a write only where its answer differs. */
  const reconcile = async (object: Custom): Promise<'created' | 'configured' | 'unchanged'> => {
    const labels = { 'kustomize.toolkit.fluxcd.io/name': 'shop' }
    const { metadata, ...rest } = object
    const body = { ...rest, metadata: { name: metadata?.name, namespace: 'default', labels } }
    const query = '?fieldManager=kustomize-controller&force=true'
    const [, existing] = await send('GET', pathOf(object))
    const [code, dry] = await send('PATCH', `${pathOf(object)}${query}&dryRun=All`, body)
    expect([200, 201]).toContain(code)
    const isNew = dry.metadata.resourceVersion === undefined
    const seenBy = ({ metadata, spec }: Live): object => [
      metadata.labels,
      metadata.annotations,
      spec,
    ]
    if (!isNew && isDeepStrictEqual(seenBy(dry), seenBy(existing))) return 'unchanged'
    const [applied] = await send('PATCH', `${pathOf(object)}${query}`, body)
    expect(applied).toBe(isNew ? 201 : 200)
    return isNew ? 'created' : 'configured'
  }

  const secret = (value: string): Custom =>
    custom('StagelySecret', 'gitops-key', { projectRef: { name: 'gitops' }, key: 'KEY', value })
  const all = (value: string): Custom[] => [
    custom('Project', 'gitops', {}),
    custom('Agent', 'gitops', {}),
    secret(value),
    custom('Stagelet', 'gitops', {
      projectRef: { name: 'gitops' },
      agentRef: { name: 'gitops' },
      compose: { directory: '/srv/gitops' },
    }),
  ]
  const reconcileAll = async (value: string): Promise<string[]> => {
    const found: string[] = []
    for (const object of all(value)) found.push(await reconcile(object))
    return found
  }
  const versionOfKey = async (): Promise<unknown> => {
    const { text } = await server.call('GET', pathOf(secret('')))
    return (JSON.parse(text) as { status: { version: number } }).status.version
  }

  it('of Flux create, then write nothing, and write a value that has changed although no answer shows it', async () => {
    expect(await reconcileAll('first')).toEqual(Array.from({ length: 4 }, () => 'created'))
    expect(await reconcileAll('first')).toEqual(Array.from({ length: 4 }, () => 'unchanged'))
    expect(await versionOfKey()).toBe(1)
    const changed = ['unchanged', 'unchanged', 'configured', 'unchanged']
    expect(await reconcileAll('second')).toEqual(changed)
    expect(await versionOfKey()).toBe(2)
    expect(await reconcileAll('second')).toEqual(Array.from({ length: 4 }, () => 'unchanged'))
    const [, live] = await send('GET', pathOf(secret('')))
    expect(JSON.stringify(live)).not.toContain('value-changes')
  })

  it('of Flux remove what Git has no more', async () => {
    const options = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' }
    for (const object of all('').reverse()) {
      const { status } = await server.call('DELETE', pathOf(object), { body: options })
      expect(status).toBe(200)
    }
  })
})
