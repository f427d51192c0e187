// The stagely command against a cluster with the CRDs, by a kubeconfig: see openTestCluster for which one.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { agentFinalizer } from '../../../src/resources/meta.ts'
import { openTestCluster, type TestCluster } from '../../support/cluster/cluster.ts'
import { runCli, type Ran } from '../../support/programs/processes.ts'

let cluster: TestCluster
let folder: string

beforeAll(async () => {
  cluster = await openTestCluster(inject('postgresUrl'))
  folder = await mkdtemp(join(tmpdir(), 'stagely-cli-'))
  await writeFile(join(folder, 'kubeconfig'), cluster.kubeConfig.exportConfig())
})
afterAll(async () => {
  await cluster.remove()
  await rm(folder, { recursive: true, force: true })
})

const stagely = (...args: string[]): Promise<Ran> =>
  runCli([...args, '-n', cluster.namespace], {
    HOME: folder,
    KUBECONFIG: join(folder, 'kubeconfig'),
  })
const manifest = async (description: string, directory = '/srv/shop'): Promise<string> => {
  const head = (kind: string, name: string): string =>
    `apiVersion: stagely.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`
  const file = join(folder, 'shop.yaml')
  await writeFile(
    file,
    [
      `${head('Stagelet', 'shop')}spec: {projectRef: {name: shop}, agentRef: {name: box}, compose: {directory: ${directory}}}\n`,
      `${head('Project', 'shop')}spec: {description: ${description}}\n`,
    ].join('---\n'),
  )
  return file
}

describe('the stagely command, on a cluster', () => {
  it('tries, applies and compares', async () => {
    const file = await manifest('one')
    const tried = await stagely('apply', '-f', file, '--dry-run')
    expect(tried).toMatchObject({ code: 0 })
    expect(tried.stdout).toContain('project.stagely.dev/shop created (dry run)')
    expect(await cluster.api.get('Project', 'shop')).toBeUndefined()
    expect(await stagely('apply', '-f', file)).toMatchObject({
      code: 0,
      stdout: 'project.stagely.dev/shop created\nstagelet.stagely.dev/shop created\n',
    })
    expect((await stagely('apply', '-f', file)).stdout).toBe(
      'project.stagely.dev/shop unchanged\nstagelet.stagely.dev/shop unchanged\n',
    )
    const differs = await stagely('diff', '-f', await manifest('two'))
    expect(differs.code).toBe(1)
    expect(differs.stdout).toContain('~ project.stagely.dev/shop')
    expect(differs.stdout).toContain('spec.description')
  })

  it('applies nothing where one object is at fault, and says where', async () => {
    const ran = await stagely('apply', '-f', await manifest('three', 'relative'))
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(/shop\.yaml:4: spec\.compose\.directory: /)
    expect((await cluster.api.get('Project', 'shop'))?.spec).toEqual({ description: 'one' })
  })

  it('shows, waits and deletes', async () => {
    expect((await stagely('get', 'stagelets')).stdout).toMatch(/^NAME +IN-SYNC[^\n]*\nshop /)
    expect((await stagely('describe', 'stagelet', 'shop')).stdout).toMatch(/Name: +shop/)
    const status = {
      conditions: [
        {
          type: 'SecretsInSync',
          status: 'True',
          reason: 'InSync',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
          observedGeneration: 1,
        },
      ],
    }
    const path = `/apis/stagely.dev/v1alpha1/namespaces/${cluster.namespace}/stagelets/shop/status`
    const waits = stagely('wait', '--for=condition=SecretsInSync', 'stagelet/shop')
    await cluster.api.call('PATCH', path, { status }, 'application/merge-patch+json')
    expect(await waits).toMatchObject({ code: 0 })
    const inUse = await stagely('delete', 'project', 'shop', '--yes')
    expect([inUse.code, inUse.stderr]).toEqual([
      1,
      expect.stringContaining('is in use by stagelet shop'),
    ])
    expect(await cluster.api.get('Project', 'shop')).toBeDefined()
  })

  it('says for whom a deletion waits, ends by its time-out, and deletes what nobody holds', async () => {
    const deleteShop = ['delete', 'stagelet', 'shop', '--yes']
    // As a controller's own API puts it there; nobody here takes it away.
    await cluster.api.patch('Stagelet', 'shop', { metadata: { finalizers: [agentFinalizer] } })
    const held = await stagely(...deleteShop, '--timeout', '1s')
    expect([held.code, held.stderr]).toEqual([
      1,
      expect.stringMatching(/still there: waits for stagely.dev\/agent .*--force\)/),
    ])
    expect(await stagely(...deleteShop, '--force')).toMatchObject({ code: 0 })
    expect(await stagely('delete', 'project', 'shop', '--yes')).toMatchObject({ code: 0 })
    expect(await cluster.api.get('Project', 'shop')).toBeUndefined()
  })
})
