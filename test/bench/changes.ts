// needless_restarts, cascaded_restarts: random changes, and which containers are new after each.
// A container that did not see the change is needless, or cascaded where Compose re-created it for
// a service that it depends on.
import { containersOf, type Services } from './stacks.ts'
import type { Row } from './measure.ts'
import { secrets, type World } from './world.ts'

/** Small deterministic generator, so that two runs make the same changes. */
const createRandom = (seed: number): ((below: number) => number) => {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const dependsOnAny = (service: string, changed: ReadonlySet<string>, services: Services): boolean =>
  (services[service] ?? []).some((s) => changed.has(s) || dependsOnAny(s, changed, services))

export const benchChanges = async (world: World, changes: number): Promise<Row[]> => {
  const random = createRandom(42)
  const { services } = world.main
  const counts = { needless: 0, cascaded: 0, missed: 0, wanted: 0 }
  let before = await containersOf(world.main)
  for (let i = 0; i < changes; i++) {
    const secret = secrets[random(secrets.length)]!
    await world.api.writeValue(secret.name, `change ${i} ${random(1_000_000)}`)
    await world.settled()
    const after = await containersOf(world.main)
    const seeing = new Set(
      Object.keys(services).filter((s) => secret.scope === 'global' || secret.scope === s),
    )
    for (const service of Object.keys(services)) {
      const isNew = before.get(service) !== after.get(service)
      if (seeing.has(service)) counts[isNew ? 'wanted' : 'missed']++
      else if (isNew) counts[dependsOnAny(service, seeing, services) ? 'cascaded' : 'needless']++
    }
    before = after
  }
  const { wanted, missed } = counts
  return [
    { name: 'needless_restarts', value: counts.needless, unit: '', changes, wanted, missed },
    { name: 'cascaded_restarts', value: counts.cascaded, unit: '', changes },
  ]
}
