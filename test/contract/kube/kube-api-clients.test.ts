// The API as its clients use it: @kubernetes/client-node and a real kubectl, over TLS with our own CA.
import {
  CustomObjectsApi,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  V1ObjectMeta,
  Watch,
  type KubernetesListObject,
  type KubernetesObject,
} from '@kubernetes/client-node'
import { writeFile } from 'node:fs/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestController, type TestController } from '../../support/programs/controller.ts'
import { createKubectl, type Kubectl } from '../../support/kubectl/run.ts'
import { readUntil } from '../../support/http/watch-lines.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import type { TestDatabase } from '../../support/databases/test-database.ts'
import { passes } from '../../support/eventually.ts'

const apiVersion = 'stagely.dev/v1alpha1'
const path = { group: 'stagely.dev', version: 'v1alpha1', namespace: 'default', plural: 'projects' }

interface Project extends KubernetesObject {
  spec: { description?: string }
}
const metadataOf = (name: string): V1ObjectMeta =>
  Object.assign(new V1ObjectMeta(), { name, namespace: 'default' })
const project = (name: string, description = 'd'): Project => ({
  apiVersion,
  kind: 'Project',
  metadata: metadataOf(name),
  spec: { description },
})

let database: TestDatabase
let server: TestController

beforeAll(async () => {
  database = await freshDatabase()
  server = await startTestController({ databaseUrl: database.url })
})
afterAll(async () => {
  await server.remove()
  await database.drop()
})

describe('client-node', () => {
  it('creates, reads, patches, replaces and deletes with KubernetesObjectApi', async () => {
    const api = KubernetesObjectApi.makeApiClient(server.kubeConfig())
    const made = await api.create(project('objects'))
    expect(made.metadata?.uid).toBeTypeOf('string')
    const patched = await api.patch(
      { ...project('objects'), spec: { description: 'patched' } },
      undefined,
      undefined,
      'tests',
      undefined,
      PatchStrategy.MergePatch,
    )
    expect(patched.spec.description).toBe('patched')
    const read = await api.read<Project>({
      apiVersion,
      kind: 'Project',
      metadata: { name: 'objects', namespace: 'default' },
    })
    // The status of a new project is written at some moment now; a version read before is stale.
    const replaced = await passes(async () => {
      const { metadata } = await api.read<Project>({
        apiVersion,
        kind: 'Project',
        metadata: { name: 'objects', namespace: 'default' },
      })
      const next: Project = { ...read, metadata: metadata!, spec: { description: 'replaced' } }
      return api.replace(next)
    })
    expect(replaced.spec.description).toBe('replaced')
    await expect(api.replace({ ...read, spec: { description: 'stale' } })).rejects.toMatchObject({
      code: 409,
    })
    const list = await api.list<Project>(apiVersion, 'Project', 'default')
    expect(list.items.map((p) => p.metadata?.name)).toContain('objects')
    await api.delete(made)
    await expect(
      api.read({
        apiVersion,
        kind: 'Project',
        metadata: { name: 'objects', namespace: 'default' },
      }),
    ).rejects.toMatchObject({ code: 404 })
  })

  it('goes through CustomObjectsApi, whose patch is a JSON patch', async () => {
    const api = server.kubeConfig().makeApiClient(CustomObjectsApi)
    await api.createNamespacedCustomObject({ ...path, body: project('custom') })
    const body = [{ op: 'replace', path: '/spec/description', value: 'new' }]
    const patched = (await api.patchNamespacedCustomObject({
      ...path,
      name: 'custom',
      body,
    })) as Project
    expect(patched.spec.description).toBe('new')
    const list = (await api.listClusterCustomObject(path)) as KubernetesListObject<Project>
    expect(list.items.map((p) => p.metadata?.name)).toContain('custom')
    await api.deleteNamespacedCustomObject({ ...path, name: 'custom' })
  })

  it('watches', async () => {
    const api = KubernetesObjectApi.makeApiClient(server.kubeConfig())
    const seen: string[] = []
    let stop: AbortController | undefined
    const deleted = new Promise<void>((resolve, reject) => {
      new Watch(server.kubeConfig())
        .watch(
          '/apis/stagely.dev/v1alpha1/namespaces/default/projects',
          { fieldSelector: 'metadata.name=watched' },
          (type: string) => {
            seen.push(type)
            if (type === 'DELETED') resolve()
          },
          (error: unknown) => {
            reject(error instanceof Error ? error : new Error('closed'))
          },
        )
        .then((controller) => (stop = controller), reject)
    })
    await api.create(project('watched'))
    await api.delete(project('watched'))
    await deleted
    stop?.abort()
    expect([seen[0], seen.at(-1)]).toEqual(['ADDED', 'DELETED'])
  })

  it('keeps an informer current', async () => {
    const config = server.kubeConfig()
    const api = KubernetesObjectApi.makeApiClient(config)
    const informer = makeInformer<Project>(
      config,
      '/apis/stagely.dev/v1alpha1/namespaces/default/projects',
      () => api.list<Project>(apiVersion, 'Project', 'default'),
    )
    const added = new Promise<void>((resolve) => {
      informer.on('add', (object) => {
        if (object.metadata?.name === 'informed') resolve()
      })
    })
    await informer.start()
    await api.create(project('informed'))
    await added
    await informer.stop()
  })
})

describe('kubectl', () => {
  let kubectl: Kubectl
  beforeAll(async () => {
    kubectl = await createKubectl(await server.writeKubeConfig())
  })
  afterAll(() => kubectl.remove())

  const secret = (value: string): object => ({
    apiVersion,
    kind: 'StagelySecret',
    metadata: { name: 'token' },
    spec: { projectRef: { name: 'shop' }, key: 'TOKEN', value },
  })

  it('knows the version and the resources, without a complaint', async () => {
    expect(await kubectl('version')).toMatchObject({ code: 0, stderr: '' })
    const { stdout, stderr } = await kubectl('api-resources')
    expect(stderr).toBe('')
    expect(stdout).toMatch(/stagelysecrets\s+ssec\s+stagely\.dev\/v1alpha1\s+true\s+StagelySecret/)
    expect((await kubectl('explain', 'stagelet.spec.compose.onChange')).stdout).toContain('ENUM')
    expect((await kubectl('auth', 'can-i', 'create', 'projects')).stdout).toBe('yes\n')
  })

  it('tells what one may, and that the cluster is there', async () => {
    const rules = await kubectl('auth', 'can-i', '--list')
    expect(rules).toMatchObject({ code: 0, stderr: '' })
    expect(rules.stdout).toMatch(/\*\.\* +\[\] +\[\] +\[\*\]/)
    expect(rules.stdout).toContain('selfsubjectreviews.authentication.k8s.io')
    expect(await kubectl('cluster-info')).toMatchObject({ code: 0, stderr: '' })
    expect((await kubectl('get', 'services')).stderr).toContain('No resources found')
  })

  it('shows the definitions of the kinds, which nobody writes', async () => {
    const { stdout, stderr } = await kubectl('get', 'crd')
    expect(stderr).toBe('')
    expect(stdout).toContain('stagelets.stagely.dev')
    const schema = '{.spec.versions[0].schema.openAPIV3Schema.properties.spec.required}'
    const one = ['get', 'crd', 'projects.stagely.dev', '-o']
    expect((await kubectl(...one, 'jsonpath={.status.conditions[1].type}')).stdout).toBe(
      'Established',
    )
    const stagelet = ['get', 'crd', 'stagelets.stagely.dev', '-o', `jsonpath=${schema}`]
    expect((await kubectl(...stagelet)).stdout).toContain('projectRef')
    expect((await kubectl('get', 'crd', 'no.stagely.dev')).stderr).toContain('(NotFound)')
    expect((await kubectl('delete', 'crd', 'projects.stagely.dev')).code).toBe(1)
    // What Terraform reads for the metadata of each object.
    const { stdout: version2 } = await kubectl('get', '--raw', '/openapi/v2')
    const { definitions } = JSON.parse(version2) as { definitions: Record<string, object> }
    const meta = definitions['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta']
    expect(meta).toHaveProperty('properties.labels')
    for (const [, name] of version2.matchAll(/"#\/definitions\/([^"]+)"/g))
      expect(definitions).toHaveProperty([name!])
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
    expect((await server.call('GET', path, { headers: { authorization: '' } })).status).toBe(401)
  })

  it('applies, twice the same, then a change, a dry run and a diff', async () => {
    const file = await kubectl.manifest(
      { ...project('shop'), metadata: { name: 'shop' } },
      secret('one'),
    )
    expect(await kubectl('apply', '-f', file)).toMatchObject({
      code: 0,
      stdout: 'project.stagely.dev/shop created\nstagelysecret.stagely.dev/token created\n',
    })
    expect((await kubectl('apply', '-f', file)).stdout).toContain(
      'project.stagely.dev/shop unchanged\n',
    )
    const changed = await kubectl.manifest({
      ...project('shop', 'new'),
      metadata: { name: 'shop' },
    })
    expect((await kubectl('apply', '--dry-run=server', '-f', changed)).stdout).toBe(
      'project.stagely.dev/shop configured (server dry run)\n',
    )
    expect((await kubectl('apply', '-f', changed)).stdout).toBe(
      'project.stagely.dev/shop configured\n',
    )
    expect(
      (await kubectl('get', 'project', 'shop', '-o', 'jsonpath={.spec.description}')).stdout,
    ).toBe('new')
  })

  it('keeps the version of a secret that is applied again, and shows no value', async () => {
    const canary = 'canary-9Xw'
    const file = await kubectl.manifest(secret(canary))
    await kubectl('apply', '-f', file)
    const version = async (): Promise<string> =>
      (await kubectl('get', 'ssec', 'token', '-o', 'jsonpath={.status.version}')).stdout
    const before = await version()
    const again = await kubectl('apply', '-f', file)
    expect(again).toMatchObject({ code: 0, stderr: '' })
    expect(await version()).toBe(before)
    for (const args of [
      ['get', 'ssec', 'token', '-o', 'yaml'],
      ['describe', 'ssec', 'token'],
      ['get', 'ssec', '-o', 'wide'],
      ['apply', 'view-last-applied', 'ssec/token'],
    ])
      expect((await kubectl(...args)).stdout).not.toContain(canary)
  })

  it('keeps a value that is not there to send back, through replace, edit and label', async () => {
    const value = 'canary-kept-2Lw'
    const manifest = await kubectl.manifest(
      { ...project('back'), metadata: { name: 'back' } },
      {
        apiVersion,
        kind: 'StagelySecret',
        metadata: { name: 'back' },
        spec: { projectRef: { name: 'back' }, key: 'BACK', value },
      },
    )
    expect((await kubectl('apply', '-f', manifest)).code).toBe(0)
    const version = (await kubectl('get', 'ssec', 'back', '-o', 'jsonpath={.status.version}'))
      .stdout
    expect(version).not.toBe('')
    const same = async (): Promise<void> => {
      const path = ['get', 'ssec', 'back', '-o', 'jsonpath={.status.version}']
      expect((await kubectl(...path)).stdout).toBe(version)
      const read = '/api/v1/projects/default%2Fback/secrets/back/reveal'
      const revealed = await server.call('POST', read, { body: {} })
      expect(revealed.json()).toMatchObject({ value })
    }

    const file = await kubectl.manifest()
    const { stdout } = await kubectl('get', 'ssec', 'back', '-o', 'yaml')
    expect(stdout).not.toContain(value)
    await writeFile(file, stdout)
    expect(await kubectl('replace', '-f', file)).toMatchObject({
      code: 0,
      stdout: 'stagelysecret.stagely.dev/back replaced\n',
    })
    await same()

    expect((await kubectl('label', 'ssec', 'back', 'tier=gold')).stdout).toContain(' labeled\n')
    await same()

    const edited = await kubectl.with({ EDITOR: 'sed -i s/gold/silver/' }, 'edit', 'ssec', 'back')
    expect(edited).toMatchObject({
      code: 0,
      stdout: 'stagelysecret.stagely.dev/back edited\n',
    })
    const label = await kubectl('get', 'ssec', 'back', '-o', 'jsonpath={.metadata.labels.tier}')
    expect(label.stdout).toBe('silver')
    await same()
  })

  it('prints tables, all kinds at once, and describes with events', async () => {
    const { stdout } = await kubectl('get', 'projects')
    expect(stdout).toMatch(/^NAME +REVISION +SECRETS +STAGELETS +IN-SYNC +AGE\n/)
    expect(stdout).toMatch(/shop .* \d+s\n/)
    expect((await kubectl('get', 'all', '-A')).stdout).toMatch(/NAMESPACE +NAME/)
    expect((await kubectl('describe', 'project', 'shop')).stdout).toMatch(
      /Name: +shop[\s\S]*Events:/,
    )
    expect((await kubectl('get', 'events')).code).toBe(0)
    expect(await kubectl('get', 'project', 'absent')).toMatchObject({
      code: 1,
      stderr: 'Error from server (NotFound): projects.stagely.dev "absent" not found\n',
    })
  })

  it('shows stagelets at a glance, and all kinds by their category', async () => {
    const stagelet = {
      apiVersion,
      kind: 'Stagelet',
      metadata: { name: 'glance' },
      spec: {
        projectRef: { name: 'shop' },
        agentRef: { name: 'box' },
        compose: { directory: '/srv/glance' },
      },
    }
    await kubectl('apply', '-f', await kubectl.manifest(stagelet))
    const table = async (): Promise<string> => (await kubectl('get', 'stagelets')).stdout
    expect(await table()).toMatch(/^NAME +IN-SYNC +WANTED +RUNNING +AGENT +REASON +AGE\n/)
    // Once its project has been quiet it is asked for, and nobody has seen it.
    await expect
      .poll(table, { interval: 200 })
      .toMatch(/glance +Unknown +\d+ .*box +NoReport +\d+s/)
    expect((await kubectl('get', 'stg', '-o', 'wide')).stdout).toMatch(
      /REASON +READY +PROJECT +ENVIRONMENT +ROLLOUT +ENDS +DIRECTORY +AGE\n/,
    )
    const all = await kubectl('get', 'stagely')
    expect(all.stdout).toContain('stagelet.stagely.dev/glance')
    expect(all.stdout).toContain('project.stagely.dev/shop')
  })

  it('says every fault of a manifest with its field', async () => {
    const bad = await kubectl.manifest({
      apiVersion,
      kind: 'Stagelet',
      metadata: { name: 'bad' },
      spec: { projectRef: { name: 'shop' }, compose: { directory: 'relative' } },
    })
    const { code, stderr } = await kubectl('apply', '-f', bad)
    expect(code).toBe(1)
    expect(stderr).toContain('* spec.agentRef: Required value')
    expect(stderr).toContain('* spec.compose.directory:')
    const odd = await kubectl.manifest({ ...project('odd'), spec: { odd: 1 } })
    expect((await kubectl('apply', '-f', odd)).stderr).toContain('unknown field "spec.odd"')
  })

  it('labels, annotates, patches, waits and deletes', async () => {
    expect((await kubectl('label', 'project', 'shop', 'team=a')).stdout).toBe(
      'project.stagely.dev/shop labeled\n',
    )
    expect((await kubectl('get', 'project', '-l', 'team=a', '-o', 'name')).stdout).toBe(
      'project.stagely.dev/shop\n',
    )
    expect(
      (
        await kubectl(
          'patch',
          'project',
          'shop',
          '--type=merge',
          '-p',
          '{"spec":{"description":"p"}}',
        )
      ).code,
    ).toBe(0)
    const strategic = await kubectl('patch', 'project', 'shop', '-p', '{}')
    expect(strategic.code).toBe(1)
    expect(strategic.stderr).toContain('application/merge-patch+json')
    expect(
      (
        await kubectl(
          'wait',
          'project/shop',
          '--for=jsonpath={.spec.description}=p',
          '--timeout=10s',
        )
      ).stdout,
    ).toBe('project.stagely.dev/shop condition met\n')
    await kubectl(
      'create',
      '-f',
      await kubectl.manifest({ ...project('short'), metadata: { name: 'short' } }),
    )
    expect(await kubectl('delete', 'project', 'short')).toMatchObject({
      code: 0,
      stdout: 'project.stagely.dev "short" deleted\n',
    })
  })

  it('makes and lists namespaces', async () => {
    expect((await kubectl('create', 'namespace', 'team-k')).stdout).toBe(
      'namespace/team-k created\n',
    )
    expect((await kubectl('get', 'ns')).stdout).toMatch(/team-k +Active/)
    const file = await kubectl.manifest({
      ...project('x'),
      metadata: { name: 'x', namespace: 'team-k' },
    })
    expect((await kubectl('apply', '-f', file)).stdout).toBe('project.stagely.dev/x created\n')
  })
})

describe('a stop', () => {
  it('ends open watches cleanly, and a start on the same data goes on', async () => {
    const api = KubernetesObjectApi.makeApiClient(server.kubeConfig())
    await api.create(project('kept'))
    const stream = await server.open('/apis/stagely.dev/v1alpha1/projects?watch=true')
    stream.resume()
    const ended = new Promise<boolean>((resolve) => {
      stream.once('close', () => {
        resolve(stream.complete)
      })
    })
    await server.stop()
    expect(await ended).toBe(true)
    server = await startTestController({ databaseUrl: database.url, dataDir: server.dataDir })
    const again = KubernetesObjectApi.makeApiClient(server.kubeConfig())
    const read = await again.read({
      apiVersion,
      kind: 'Project',
      metadata: { name: 'kept', namespace: 'default' },
    })
    expect(read.metadata?.name).toBe('kept')
  })

  it('makes a watcher that is too far behind list again: 200, then one ERROR line', async () => {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    await client.query('UPDATE counters SET compacted_rv = 2').finally(() => client.end())
    const stream = await server.open(
      '/apis/stagely.dev/v1alpha1/projects?watch=true&resourceVersion=1',
    )
    expect(stream.statusCode).toBe(200)
    const events = await readUntil(stream, () => false)
    expect(events).toMatchObject([
      { type: 'ERROR', object: { kind: 'Status', reason: 'Expired', code: 410 } },
    ])
  })
})
