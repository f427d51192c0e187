// Reads the facts for the decision about one stagelet. No secret is decrypted: digests are enough.
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { fitStored } from '../../../src/protocol/fit-report.ts'
import type { ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import type { Reader } from '../../../src/store/store.ts'
import { fromFor, holdIn, isReached } from '../../../src/rollout/restored.ts'
import { stageletSet } from '../../../src/secrets/environment-set.ts'
import { readKeptSets } from '../kept-sets.ts'
import { suspectsOf, type Author } from './suspect-values.ts'
import { inProject, reportInProject, toldOfOther } from './of-project.ts'
import type { StageletInput } from './facts.ts'
import { healthySetOf } from './revision.ts'

/** As many revisions as are kept by default. */
const mostToGoBack = 20

/** Undefined when the stagelet does not exist. */
export const gatherStagelet = async (
  reader: Reader,
  ref: { namespace: string; name: string },
  nowMs: number,
): Promise<StageletInput | undefined> => {
  const { namespace, name } = ref
  const found = await reader.get({ kind: 'Stagelet', namespace, name })
  if (found === undefined) return undefined
  const { projectRef, agentRef } = found.spec
  const project = await reader.get({ kind: 'Project', namespace, name: projectRef.name })
  const agent = await reader.get({ kind: 'Agent', namespace, name: agentRef.name })
  const observed = await reader.get({ kind: 'Observation', namespace, name })
  const newest = observed && fitStored(observed.spec)
  // A report on an earlier object of this name, or by another agent, does not count.
  const own = newest?.stageletUid === found.metadata.uid ? newest : undefined
  const isByOther = own !== undefined && own.agent !== `${namespace}/${agentRef.name}`
  const reported = isByOther ? undefined : own
  const stored = isByOther ? withoutFailures(found) : found
  const isStaged = project?.spec?.rollout !== undefined
  const base = {
    now: toTimestamp(nowMs),
    nowMs,
    isStaged,
    agent,
  }
  const projectUid = project?.metadata.uid
  if (projectUid === undefined) {
    const nothing = { revisions: undefined, head: undefined, closedSets: [], authors: new Map() }
    return { ...base, stagelet: stored, observation: reported, projectExists: false, ...nothing }
  }
  const stagelet = inProject(stored, projectUid)
  const observation = reportInProject(reported, projectUid)
  // Read before the revisions: a hold names a revision that exists by then.
  const holds = await holdsOn(reader, { namespace, project: projectRef.name }, name)
  const revisions = await reader.revisionsOf(projectUid)
  const head = await reader.readSet(projectUid, 'head')
  const wanted = [
    revisions.closed,
    observation?.revision ?? 0,
    ...revisionsToGoBack(stagelet.status, observation, revisions.closed),
  ]
  const closedSets = await readKeptSets(reader, projectUid, wanted)
  const since = project?.metadata.creationTimestamp ?? ''
  const owner = { uid: projectUid, since }
  const facts = {
    ...base,
    stagelet,
    toldOfOther: toldOfOther(stored, projectUid),
    observation,
    projectExists: true,
    project: owner,
    revisions,
    untested: holds.find(({ from }) => isReached(from, revisions)),
    revisionClosedAt: project?.status?.revisionClosedAt,
    head: stageletSet(head, name),
    closedSets: closedSets.map((set) => stageletSet(set, name)),
  }
  return { ...facts, authors: await authorsOf(reader, facts) }
}

/** What failed on a machine, as its agent says, is tried again on another one. */
const withoutFailures = <T extends { readonly status?: StageletStatus }>(stagelet: T): T => {
  const { quarantine: _, ...status } = stagelet.status ?? {}
  return { ...stagelet, status }
}

type Untested = NonNullable<StageletInput['untested']>

/** Holds on the stagelet; the strictest comes first. */
const holdsOn = async (
  reader: Reader,
  place: { readonly namespace: string; readonly project: string },
  stagelet: string,
): Promise<Untested[]> => {
  const { items } = await reader.list('Rotation', place)
  const all = items.map((item) => {
    const from = fromFor(holdIn(item), stagelet)
    return { rotation: item.metadata.name, from }
  })
  return all.filter(({ from }) => from > 0).sort((a, b) => b.from - a.from)
}

const mostSuspects = 20

/** Empty where nothing failed. */
const authorsOf = async (
  reader: Reader,
  input: Omit<StageletInput, 'authors'>,
): Promise<Map<string, Author>> => {
  const authors = new Map<string, Author>()
  const { stagelet, observation, head } = input
  const failed = [...(stagelet.status?.quarantine ?? []), ...(observation?.quarantine ?? [])]
  const healthy = healthySetOf(input)
  if (failed.length === 0 || head === undefined || healthy === undefined) return authors
  const { name, namespace = '' } = stagelet.metadata
  const suspects = failed.flatMap((service) => suspectsOf(name, service, { head, healthy }))
  for (const entry of [...new Set(suspects)].slice(0, mostSuspects)) {
    const secret = await reader.get({ kind: 'StagelySecret', namespace, name: entry.name })
    const { version, updatedBy: by, updatedAt: at } = secret?.status ?? {}
    if (secret?.metadata.uid !== entry.secretId || version === undefined) continue
    if (by !== undefined && at !== undefined) authors.set(entry.secretId, { version, by, at })
  }
  return authors
}

/** Where something failed: the revisions from the newest down to the last healthy one. */
const revisionsToGoBack = (
  status: StageletStatus | undefined,
  observation: ObservationSpec | undefined,
  closed: number,
): number[] => {
  const failed = [...(status?.quarantine ?? []), ...(observation?.quarantine ?? [])]
  const healthy = status?.healthyRevision
  if (failed.length === 0 || healthy === undefined) return []
  const count = Math.min(Math.max(closed - healthy, 0), mostToGoBack)
  return [...Array.from({ length: count }, (_, i) => closed - i), healthy]
}
