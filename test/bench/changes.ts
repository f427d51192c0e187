// needless_restarts, cascaded_restarts, jobs_run_again: random changes of secrets over ten stacks, all at
// a time, and which containers are new after each. New must be those of services that see the change, and
// of those that hold such a container's id; `restart: true` is followed. All else is counted:
// a job that ran, who depends on what was re-created, and the rest. So is one that came up twice for one
// revision: under load a change set may be closed in parts (`cut`), each a revision of its own.
import { isDeepStrictEqual } from 'node:util'
import { createRandom, type Random } from '../support/random.ts'
import type { Row } from './measure.ts'
import { containersOf, watchStarts, type RunningContainer, type StartWatch } from './stacks.ts'
import { patience, removeTenStacks, startTenStacks, type LiveStack } from './ten-stacks.ts'
import type { World } from './world.ts'

/** Makes one change; resolves with the scopes whose services see it. */
type Change = (i: number) => Promise<readonly string[]>

/** A value of one secret mostly, now and then of some at once; the same again; a secret more, or less. */
const createChanges = ({ api }: World, stack: LiveStack, random: Random): Change => {
  const secrets = [...stack.secrets]
  const values = new Map<string, string>()
  const added: { name: string; scope: string }[] = []
  const write = async (i: number, count: number): Promise<string[]> => {
    const picked = new Map(Array.from({ length: count }, () => random.pick(secrets)))
    const written = [...picked.keys()].map(
      (name) => [name, `change ${i} ${random.below(1e6)}`] as const,
    )
    for (const [name, value] of written) values.set(name, value)
    await api.writeValues(written)
    return [...picked.values()]
  }
  const writeAgain: Change = async (i) => {
    if (values.size === 0) return await write(i, 1)
    await api.writeValues([random.pick([...values])])
    return []
  }
  const add: Change = async (i) => {
    const scope = random.pick([...stack.services.keys()])
    const name = `${stack.name}-added-${i}`
    added.push({ name, scope })
    await api.createSecret(name, scope, stack.name, `added ${i}`)
    return [scope]
  }
  const remove: Change = async (i) => {
    const [gone] = added.splice(random.below(Math.max(1, added.length)), 1)
    if (gone === undefined) return await write(i, 1)
    await api.deleteSecret(gone.name)
    return [gone.scope]
  }
  const kinds = [writeAgain, add, remove, (i: number) => write(i, random.between(2, 3))]
  return (i) => (kinds[random.below(10)] ?? ((n) => write(n, 1)))(i)
}

type Containers = ReadonlyMap<string, readonly RunningContainer[]>

const createCounts = () => ({
  wanted: 0,
  along: 0,
  restarted: 0,
  missed: 0,
  cut: 0,
  needless: 0,
  cascaded: 0,
  jobsAgain: 0,
})
type Counts = ReturnType<typeof createCounts>

/** Services that hold the id of a container of one of these; a job that is done does not. */
const sharersOf = ({ services }: LiveStack, seeing: ReadonlySet<string>, before: Containers) => {
  const all = new Set(seeing)
  for (let size = -1; size !== all.size;) {
    size = all.size
    for (const [name, { sharesWith }] of services)
      if (before.get(name)?.some((c) => !c.isDone) && sharesWith.some((s) => all.has(s)))
        all.add(name)
  }
  return all
}

/** In the counts, and by name where it ought not to be. */
const judge = (
  stack: LiveStack,
  scopes: readonly string[],
  states: {
    before: Containers
    after: Containers
    started: ReadonlyMap<string, number>
    /** How many the change was closed as. */
    revisions: number
  },
  counts: Counts,
): void => {
  const { before, after, started, revisions } = states
  const { name: stackName, services } = stack
  const isSeen = (name: string): boolean => scopes.includes('global') || scopes.includes(name)
  const seeing = new Set([...services.keys()].filter(isSeen))
  const due = sharersOf(stack, seeing, before)
  const dependsOnAny = (name: string): boolean =>
    services.get(name)?.dependsOn.some((d) => seeing.has(d) || dependsOnAny(d)) === true
  const tell = (kind: keyof Counts, name: string, by = 1): void => {
    counts[kind] += by
    const isBad = by > 0 && !['wanted', 'along', 'restarted'].includes(kind)
    if (isBad)
      process.stderr.write(
        `  ${kind}: ${name} of ${stackName}, ${scopes.join(', ')}; revisions: ${revisions}\n`,
      )
  }
  if (revisions > 1) counts.cut++
  for (const [name, { restartsAfter }] of services) {
    const [old, now] = [before.get(name) ?? [], after.get(name) ?? []]
    const isNew = now.every((c) => !old.some((o) => o.id === c.id))
    const isKept = isDeepStrictEqual(
      now.map((c) => c.id),
      old.map((c) => c.id),
    )
    const isRestarted = now.every((c) => !old.some((o) => o.startedAt === c.startedAt))
    const isToRestart = !due.has(name) && restartsAfter.some((d) => seeing.has(d))
    const most = now.length * Math.max(1, revisions)
    tell('needless', name, Math.max(0, (started.get(name) ?? 0) - most))
    if (due.has(name)) tell(isNew ? (seeing.has(name) ? 'wanted' : 'along') : 'missed', name)
    else if (isToRestart && isKept) tell(isRestarted ? 'restarted' : 'missed', name)
    else if (!isDeepStrictEqual(old, now))
      tell(
        old.some((c) => c.isDone) ? 'jobsAgain' : dependsOnAny(name) ? 'cascaded' : 'needless',
        name,
      )
  }
}

const changeOne = async (
  world: World,
  stack: LiveStack,
  given: {
    changes: number
    random: Random
    starts: StartWatch
    counts: Counts
    isEnough: () => boolean
  },
): Promise<{ made: number; containers: number }> => {
  const { changes, random, starts, counts, isEnough } = given
  const change = createChanges(world, stack, random)
  let before = await containersOf(stack)
  let made = 0
  const revisionOf = async (): Promise<number> =>
    (await world.api.stagelet(stack.name)).status?.wantedRevision ?? 0
  let revision = await revisionOf()
  for (; made < changes && !isEnough(); made++) {
    starts.count(stack.project)
    const scopes = await change(made)
    await world.settled(stack.name, patience)
    const after = await containersOf(stack)
    const reached = await revisionOf()
    const revisions = reached - revision
    const started = starts.count(stack.project)
    judge(stack, scopes, { before, after, started, revisions }, counts)
    before = after
    revision = reached
  }
  return { made, containers: [...before.values()].flat().length }
}

/** Ctrl-C ends it early, with what it has. */
export const benchChanges = async (
  world: World,
  { changes, stacks: names }: { changes: number; stacks: readonly string[] | undefined },
): Promise<Row[]> => {
  const counts = createCounts()
  const starts = watchStarts()
  let isInterrupted = false
  const interrupt = (): void => {
    isInterrupted = true
  }
  process.once('SIGINT', interrupt)
  try {
    const stacks = await startTenStacks(world, names)
    const each = Math.ceil(changes / stacks.length)
    const given = { changes: each, starts, counts, isEnough: () => isInterrupted }
    const ended = await Promise.all(
      stacks.map((stack, i) => changeOne(world, stack, { ...given, random: createRandom(42 + i) })),
    )
    const sum = (of: (one: (typeof ended)[number]) => number): number =>
      ended.reduce((all, one) => all + of(one), 0)
    const sizes = {
      changes: sum((one) => one.made),
      stacks: stacks.length,
      containers: sum((one) => one.containers),
      compose: world.compose.version,
    }
    const { wanted, along, restarted, missed, cut, needless, cascaded, jobsAgain } = counts
    const must = { wanted, along, restarted, missed, cut }
    return [
      { name: 'needless_restarts', value: needless, unit: '', ...sizes, ...must },
      { name: 'cascaded_restarts', value: cascaded, unit: '', ...sizes },
      { name: 'jobs_run_again', value: jobsAgain, unit: '', ...sizes },
    ]
  } finally {
    process.off('SIGINT', interrupt)
    starts.close()
    await removeTenStacks()
  }
}
