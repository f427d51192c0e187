// Whatever the order in which a Project, its secrets and a Stagelet come, and by whichever way, they end
// in the same state, and the stack is started once. All orders at the same time, each with names of its own.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startKubernetesSource } from '../../../controller/kubernetes/start.ts'
import { startFolderSource } from '../../../controller/manifests/watch-folder.ts'
import { startReconcilers, type Reconcilers } from '../../../controller/reconcilers/start.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import type { Condition } from '../../../src/resources/conditions.ts'
import { refOf, type KubeObject } from '../../../src/resources/meta.ts'
import type { ProjectStatus } from '../../../src/kinds/project/schema.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { openTestCluster } from '../../support/cluster/cluster.ts'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'
import { eventually } from '../../support/eventually.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'
import { soak } from '../../support/soak.ts'
import {
  createAs,
  createSteppedClock,
  api as person,
} from '../../support/databases/store-fixtures.ts'

const apiVersion = 'stagely.dev/v1alpha1'
/** Of a busy machine. */
const limit = 120_000
const parts = ['project', 'first', 'second', 'stagelet'] as const
type Part = (typeof parts)[number]

const permutations = <T>(items: readonly T[]): T[][] =>
  items.length === 0
    ? [[]]
    : items.flatMap((item, i) =>
        permutations(items.filter((_, other) => other !== i)).map((rest) => [item, ...rest]),
      )
const orders = permutations<Part>(parts)
/** The APIs are tried in all orders, each source in every sixth one; in all of them in the long form. */
const nth = soak(6, 1)
const ofSource = orders.filter((_, i) => i % nth === 0)

/** Of a secret, the one that REST gives it. */
const nameOf = (part: Part, id: number): string =>
  part === 'project' || part === 'stagelet' ? `${part}-${id}` : `${part}-${id}.global`

const objectOf = (part: Part, id: number, namespace: string): KubeObject => {
  const metadata = { name: nameOf(part, id), namespace }
  const projectRef = { name: `project-${id}` }
  if (part === 'project') return { apiVersion, kind: 'Project', metadata, spec: {} }
  if (part === 'stagelet') {
    const compose = { directory: `/srv/${id}` }
    const spec = { projectRef, agentRef: { name: 'box' }, compose }
    return { apiVersion, kind: 'Stagelet', metadata, spec }
  }
  const valueFrom = { generate: { length: 24 } }
  const spec = { projectRef, key: `${part.toUpperCase()}_${id}`, valueFrom }
  return { apiVersion, kind: 'StagelySecret', metadata, spec }
}

interface World {
  readonly namespace: string
  readonly orders: readonly Part[][]
  list(kind: string): Promise<readonly KubeObject[]>
  /** Every revision that each stagelet was told of, by its name. */
  readonly told: ReadonlyMap<string, ReadonlySet<number>>
}

/** However slow the machine is, all of an order comes within the time that belongs together. */
const clock = createSteppedClock(Date.now())

const note = (told: Map<string, Set<number>>, object: KubeObject): void => {
  const wanted = (object.status as StageletStatus | undefined)?.wantedRevision
  if (object.kind !== 'Stagelet' || wanted === undefined) return
  const known = told.get(object.metadata.name) ?? new Set()
  told.set(object.metadata.name, known.add(wanted))
}

/** What is the same whatever the names, times and numbers, of each order. */
const statesOf = async (world: World): Promise<unknown[]> => {
  const lists = await Promise.all(
    ['Project', 'StagelySecret', 'Stagelet'].map((kind) => world.list(kind)),
  )
  const all = new Map(lists.flat().map((object) => [object.metadata.name, object]))
  return world.orders.map((_, id) => {
    const of = (part: Part): KubeObject | undefined => all.get(nameOf(part, id))
    const conditions = (part: Part): string[] =>
      ((of(part)?.status?.['conditions'] ?? []) as Condition[])
        .map(({ type, status, reason }) => `${type}=${status}/${reason}`)
        .sort()
    const project = of('project')?.status as ProjectStatus | undefined
    const stagelet = of('stagelet')?.status as StageletStatus | undefined
    return {
      ...Object.fromEntries(parts.map((part) => [part, conditions(part)])),
      secrets: project?.secrets,
      isNewest: stagelet?.wantedRevision === project?.revision,
      starts: world.told.get(nameOf('stagelet', id))?.size,
    }
  })
}

const settled = {
  project: ['Ready=True/Closed'],
  first: ['Accepted=True/Accepted', 'InSync=Unknown/NoReport', 'ScopeMatched=True/Global'],
  second: ['Accepted=True/Accepted', 'InSync=Unknown/NoReport', 'ScopeMatched=True/Global'],
  stagelet: expect.arrayContaining(['Accepted=True/Accepted']) as unknown,
  secrets: 2,
  isNewest: true,
  starts: 1,
}

const hasAll = async (world: World, objects: readonly KubeObject[]): Promise<boolean> => {
  const kinds = [...new Set(objects.map(({ kind }) => kind))]
  const found = (await Promise.all(kinds.map((kind) => world.list(kind)))).flat()
  const names = new Set(found.map(({ metadata }) => metadata.name))
  return objects.every(({ metadata }) => names.has(metadata.name))
}

/** One step of all orders after the other: `write` gets what each order writes in this step. */
const inAllOrders = async (
  world: World,
  write: (objects: readonly KubeObject[]) => Promise<unknown>,
): Promise<void> => {
  for (const step of parts.keys()) {
    const objects = world.orders.map((order, id) => objectOf(order[step]!, id, world.namespace))
    await write(objects)
    await eventually(() => hasAll(world, objects), limit / 2).toBe(true)
    clock.step(400) // a change set closes meanwhile
    await realClock.sleep(300)
  }
  clock.step(3_000)
  await eventually(() => statesOf(world), limit - 10_000).toEqual(world.orders.map(() => settled))
}

describe('any order of a project, its secrets and its stagelet', () => {
  const pathOf = (object: KubeObject): string => {
    const kinds = { Project: 'projects', StagelySecret: 'stagelysecrets', Stagelet: 'stagelets' }
    const { kind, namespace } = refOf(object)
    return `/apis/${apiVersion}/namespaces/${namespace}/${kinds[kind as keyof typeof kinds]}`
  }

  describe('by the APIs', () => {
    let server: TestController
    const told = new Map<string, Set<number>>()
    const create = (object: KubeObject, query = ''): Promise<Answer> =>
      server.call('POST', pathOf(object) + query, { body: object })
    const list = async (kind: string): Promise<KubeObject[]> => {
      const metadata = { name: '', namespace: 'default' }
      const path = pathOf({ apiVersion, kind, metadata })
      return (await server.call('GET', path)).json<{ items: KubeObject[] }>().items
    }

    beforeAll(async () => {
      server = await startTestController({ clock })
    })
    afterAll(() => server.remove())

    it(
      'by the Kubernetes-style API, and by REST where it has a path',
      { timeout: limit },
      async () => {
        const stream = await server.open(`/apis/${apiVersion}/stagelets?watch=true`)
        let rest = ''
        stream.on('data', (chunk: Buffer) => {
          const lines = (rest + chunk.toString()).split('\n')
          rest = lines.pop() ?? ''
          for (const line of lines) note(told, (JSON.parse(line) as { object: KubeObject }).object)
        })
        await inAllOrders({ namespace: 'default', orders, told, list }, async (objects) => {
          const made = new Set((await list('Project')).map(({ metadata }) => metadata.name))
          const write = (object: KubeObject, id: number): Promise<Answer> => {
            const name = nameOf('project', id)
            if (object.kind !== 'StagelySecret' || !made.has(name) || id % 2 === 0)
              return create(object)
            const { key } = object.spec as { key: string }
            const body = { key, value_from: { generate: { length: 24 } } }
            return server.call('POST', `/api/v1/projects/default%2F${name}/secrets`, { body })
          }
          for (const answer of await Promise.all(objects.map(write)))
            expect(answer.status, answer.text).toBe(201)
        })
        stream.destroy()
      },
    )

    it('is as good for a dry run, which warns of what it cannot know', async () => {
      for (const part of [...parts].reverse()) {
        const answer = await create(objectOf(part, 99, 'default'), '?dryRun=All')
        expect(answer.status, answer.text).toBe(201)
        const warned = part === 'project' ? undefined : /Project \\"project-99\\" does not exist/
        if (warned === undefined) expect(answer.headers['warning']).toBeUndefined()
        else expect(answer.headers['warning']).toMatch(warned)
      }
      const names = (await list('Stagelet')).map(({ metadata }) => metadata.name)
      expect(names).not.toContain('stagelet-99')
    })

    it(
      'is as good for a deletion, and the secrets are left to themselves by that of the project',
      { timeout: limit },
      async () => {
        for (const [id, order] of orders.entries())
          for (const part of order) {
            const path = `${pathOf(objectOf(part, id, 'default'))}/${nameOf(part, id)}`
            expect((await server.call('DELETE', path)).status).toBe(200)
          }
      },
    )
  })

  describe('by a source', () => {
    let ours: TestStore
    let reconcilers: Reconcilers
    const watching = new AbortController()
    const told = new Map<string, Set<number>>()
    const worldOf = (namespace: string): World => ({
      namespace,
      orders: ofSource,
      told,
      list: async (kind) => (await ours.store.list(kind, { namespace })).items,
    })

    beforeAll(async () => {
      ours = await openTestStore(inject('postgresUrl'), { clock })
      reconcilers = startReconcilers({ store: ours.store, clock, log: silentLogger })
      const follow = async (): Promise<void> => {
        const after = await ours.store.currentVersion()
        for await (const changes of ours.store.watch(after, watching.signal))
          for (const { object } of changes) note(told, object)
      }
      follow().catch(() => undefined)
    })
    afterAll(async () => {
      watching.abort()
      await reconcilers.stop()
      await ours.destroy()
    })

    it('by a folder, file by file', { timeout: limit }, async () => {
      told.clear()
      const metadata = { name: 'files' }
      await createAs(ours.store, person, { apiVersion: 'v1', kind: 'Namespace', metadata })
      const world = worldOf('files')
      const dir = await mkdtemp(join(tmpdir(), 'stagely-order-'))
      const source = startFolderSource({
        dir,
        store: ours.store,
        clock,
        log: silentLogger,
      })
      try {
        await inAllOrders(world, async (objects) => {
          for (const object of objects)
            await writeFile(join(dir, `${object.metadata.name}.json`), JSON.stringify(object))
        })
      } finally {
        await source.stop()
        await rm(dir, { recursive: true })
      }
    })

    it('by a cluster', { timeout: limit }, async () => {
      told.clear()
      const cluster = await openTestCluster(inject('postgresUrl'))
      const source = startKubernetesSource({
        kubeConfig: () => cluster.kubeConfig,
        namespaces: [cluster.namespace],
        mayWrite: () => true,
        controllerId: 'ours',
        pruneAll: false,
        store: ours.store,
        clock,
        log: silentLogger,
      })
      try {
        await inAllOrders(worldOf(cluster.namespace), (objects) => cluster.api.create(...objects))
      } finally {
        await source.stop()
        await cluster.remove()
      }
    })
  })
})
