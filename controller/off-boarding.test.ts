import { expect, it } from 'vitest'
import { silentLogger } from '../src/kernel/log.ts'
import type { KubeObject } from '../src/resources/meta.ts'
import type { Store } from '../src/store/store.ts'
import { countedRows, uidOf } from '../test/support/databases/counted-rows.ts'
import { createFakeClock } from '../test/support/fake-clock.ts'
import { startOffBoarding } from './off-boarding.ts'

it('parses only those of many secrets whose values leavers know', async () => {
  const secrets = countedRows('StagelySecret', 20_000)
  const known = secrets.rows[7_000]!
  const noted: KubeObject[] = []
  const tx = {
    get: () => Promise.resolve(JSON.parse(known.text) as KubeObject),
    setStatus: (object: KubeObject) => Promise.resolve(noted.push(object)),
  }
  const store = {
    list: () => Promise.resolve({ items: secrets.rows.map(({ object }) => object) }),
    listRows: () => Promise.resolve(secrets.rows),
    write: (_actor: unknown, _options: unknown, fn: (given: typeof tx) => unknown) => fn(tx),
  } as unknown as Store
  const looking = startOffBoarding({
    store,
    audit: {
      readers: () => Promise.resolve([]),
      knownOutside: () => Promise.resolve(new Map([[uidOf(7_000), 2]])),
    },
    principals: { onChange: () => () => undefined },
    clock: createFakeClock(),
    log: silentLogger,
  })
  await expect.poll(() => noted.length).toBe(1)
  await looking.stop()
  expect(noted[0]).toMatchObject({
    metadata: { uid: known.uid },
    status: { knownOutside: { people: 2 } },
  })
  expect(secrets.parsed).toBeLessThan(10)
})
