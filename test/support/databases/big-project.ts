// A project as large ones are, for benches: thousands of secrets, and stagelets whose agent reports that all of them
// run the newest ones. It is written by a store beside the controller's, as another replica would.
import { setImmediate } from 'node:timers/promises'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { apiVersion } from '../../../src/resources/meta.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { environmentSet } from '../../../src/secrets/environment-set.ts'
import { visibleTo } from '../../../src/secrets/visible.ts'
import { openStore } from '../../../src/store/open/open-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { aService, anObservation } from '../builders.ts'
import { localKeyRing } from '../keys.ts'
import { testMasterKey } from '../programs/processes.ts'
import { objectOf, system } from './store-fixtures.ts'

export interface BigProject {
  readonly name: string
  readonly secrets: number
  /** So many of the secrets are each of one stagelet; the others are of the whole project. */
  readonly own: number
  readonly stagelets: number
  readonly services: readonly string[]
}

const inOneWrite = 200

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

const createSecrets = async (store: Store, project: BigProject): Promise<void> => {
  const { name, secrets, own, stagelets, services } = project
  for (let from = 0; from < secrets; from += inOneWrite) {
    const last = from + inOneWrite >= secrets
    await store.write(system, { changeSet: { id: `fill-${name}`, last } }, async (tx) => {
      for (const i of numbers(Math.min(inOneWrite, secrets - from)).map((at) => from + at)) {
        const scope = i % 3 === 0 ? 'global' : (services[i % services.length] ?? 'global')
        const key = `KEY_${String(i).padStart(5, '0')}`
        const spec = {
          projectRef: { name },
          key,
          scope,
          value: `value ${i} of ${name}`,
          ...(i < own ? { stageletRef: { name: `${name}-${i % stagelets}` } } : {}),
        }
        await tx.create(objectOf('StagelySecret', 'default', `${name}-${i}`, spec))
      }
    })
  }
}

const createStagelets = async (store: Store, project: BigProject): Promise<void> => {
  const { name, stagelets, services } = project
  await store.write(system, {}, async (tx) => {
    for (const i of numbers(stagelets))
      await tx.create(
        objectOf('Stagelet', 'default', `${name}-${i}`, {
          projectRef: { name },
          agentRef: { name: 'box' },
          compose: { directory: `/nowhere/${name}-${i}` },
        }),
      )
  })
  const uid = (await store.get({ kind: 'Project', namespace: 'default', name }))!.metadata.uid!
  const { epoch, closed } = await store.revisionsOf(uid)
  const set = await store.readSet(uid, 'head')
  const digests: string[][] = []
  for (const i of numbers(stagelets)) {
    const at = `${name}-${i}`
    const mine = environmentSet(set, at).filter(
      ({ stagelet }) => stagelet === undefined || stagelet === at,
    )
    digests.push(services.map((one) => serviceDigest(visibleTo(one, at, mine)) ?? ''))
    // The store has its turn: it takes a database for gone whose answers it cannot hear.
    await setImmediate()
  }
  await store.write(system, {}, async (tx) => {
    for (const i of numbers(stagelets)) {
      const ref = { kind: 'Stagelet', namespace: 'default', name: `${name}-${i}` } as const
      const stagelet = await tx.get(ref)
      const seen = services.map((service, at) =>
        aService({
          name: service,
          since: '2026-01-02T03:04:05Z',
          digests: [digests[i]![at]!],
        }),
      )
      const spec = anObservation({
        stageletUid: stagelet!.metadata.uid!,
        epoch,
        revision: closed,
        services: seen,
        passed: Object.fromEntries(seen.map((one) => [one.name, one.digests[0]!])),
      })
      const metadata = { name: ref.name, namespace: 'default' }
      await tx.putInternal({ apiVersion, kind: 'Observation', metadata, spec })
    }
  })
}

/** In the database of a world of test/support/programs/processes.ts. */
export const fillProject = async (databaseUrl: string, project: BigProject): Promise<void> => {
  const opened = await openStore({
    databaseUrl,
    dataDir: '/nowhere',
    keyRing: localKeyRing(Buffer.from(testMasterKey, 'base64')),
    clock: realClock,
    log: silentLogger,
  })
  try {
    await opened.store.write(system, {}, (tx) =>
      tx.create(objectOf('Project', 'default', project.name)),
    )
    await createSecrets(opened.store, project)
    await createStagelets(opened.store, project)
  } finally {
    await opened.close()
  }
}
