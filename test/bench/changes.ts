// needless_restarts, cascaded_restarts: random changes, and which containers are new after each.
// A container that did not see the change, or was re-created twice for it, is needless; it is
// cascaded where Compose re-created it for a service that it depends on.
import { containersOf, watchStarts, type Services } from './stacks.ts'
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

/** What one change does; each returns the scope whose services see it, or undefined when none does. */
type Change = (i: number) => Promise<string | undefined>

/** Values change most; one in ten is the same again, a secret is added, or it is removed. */
const createChanges = (world: World, random: (below: number) => number): Change => {
  const services = Object.keys(world.main.services)
  const values = new Map<string, string>()
  const added: { name: string; scope: string }[] = []
  const write: Change = async (i) => {
    const { name, scope } = secrets[random(secrets.length)]!
    const value = `change ${i} ${random(1_000_000)}`
    values.set(name, value)
    await world.api.writeValue(name, value)
    return scope
  }
  const writeAgain: Change = async (i) => {
    const [name, value] = [...values][random(values.size)] ?? []
    if (name === undefined || value === undefined) return await write(i)
    await world.api.writeValue(name, value)
    return undefined
  }
  const add: Change = async (i) => {
    const scope = services[random(services.length)]!
    const name = `added-${i}`
    added.push({ name, scope })
    await world.api.createSecret(name, scope, world.main.name, `added ${i}`)
    return scope
  }
  const remove: Change = async (i) => {
    const [gone] = added.splice(random(Math.max(1, added.length)), 1)
    if (gone === undefined) return await write(i)
    await world.api.deleteSecret(gone.name)
    return gone.scope
  }
  return (i) => {
    const kind = random(10)
    return kind === 0 ? writeAgain(i) : kind === 1 ? add(i) : kind === 2 ? remove(i) : write(i)
  }
}

export const benchChanges = async (world: World, changes: number): Promise<Row[]> => {
  const random = createRandom(42)
  const { services, project } = world.main
  const counts = { needless: 0, cascaded: 0, missed: 0, wanted: 0 }
  const change = createChanges(world, random)
  const starts = watchStarts()
  try {
    let before = await containersOf(world.main)
    for (let i = 0; i < changes; i++) {
      starts.count(project)
      const scope = await change(i)
      await world.settled()
      const after = await containersOf(world.main)
      const started = starts.count(project)
      const seeing = new Set(Object.keys(services).filter((s) => scope === 'global' || scope === s))
      for (const service of Object.keys(services)) {
        const isNew = before.get(service) !== after.get(service)
        if (seeing.has(service)) counts[isNew ? 'wanted' : 'missed']++
        else if (isNew) counts[dependsOnAny(service, seeing, services) ? 'cascaded' : 'needless']++
        if (isNew) counts.needless += Math.max(0, (started.get(service) ?? 0) - 1)
      }
      before = after
    }
  } finally {
    starts.close()
  }
  const { wanted, missed } = counts
  const sizes = { changes, services: Object.keys(services).length }
  return [
    { name: 'needless_restarts', value: counts.needless, unit: '', ...sizes, wanted, missed },
    { name: 'cascaded_restarts', value: counts.cascaded, unit: '', ...sizes },
  ]
}
