// Keys that are due for rotation: what the controller can replace, it replaces; of the rest it tells.
import { earliest } from '../../src/kernel/earliest.ts'
import { isReason, messageOf } from '../../src/kernel/errors.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { keyOf, type KubeObject } from '../../src/resources/meta.ts'
import type { KeyStore } from '../../src/store/keys/key-store.ts'
import type { ProjectKeysFact } from '../../src/store/keys/key-age.ts'
import type { Actor, Store } from '../../src/store/store.ts'
import { dueKeys, planRotation, ruleOf, type Dues, type KeyPlan } from './plan.ts'
import { noteProjectKeys } from './note-projects.ts'
import { controllerActor } from '../../src/store/core/actor.ts'

export interface DueKeysDeps {
  readonly store: Store
  readonly keys: Pick<KeyStore, 'facts' | 'replaceDataKeys' | 'rotationMs' | 'tellOf'>
  readonly sealing: { rotate(actor: Actor): Promise<unknown> }
  /** False: the controller only tells. */
  readonly rotatesKeys: boolean
  readonly onKeysDue: (dues: readonly Dues[]) => void
  readonly clock: Clock
  readonly log: Logger
}

/** Why keys that are due were not replaced. */
interface Waiting {
  /** By the uid of the project. */
  readonly dataKeys: ReadonlyMap<string, string>
  readonly sealing: string | undefined
}

const rotateDataKeys = async (
  { keys, log }: DueKeysDeps,
  due: readonly ProjectKeysFact[],
): Promise<Map<string, string>> => {
  if (due.length === 0) return new Map()
  const uids = due.map(({ uid }) => uid)
  const left = await keys.replaceDataKeys(controllerActor, uids)
  const projects = due.length - left.length
  if (projects > 0) log.info({ projects }, 'data keys that were due are replaced')
  return new Map(left.map(({ projectUid, message }) => [projectUid, message]))
}

const rotateSealing = async (
  { sealing, log }: DueKeysDeps,
  isDue: boolean,
): Promise<string | undefined> => {
  if (!isDue) return undefined
  try {
    await sealing.rotate(controllerActor)
    log.info({}, 'the sealing key was due, and is replaced')
    return undefined
  } catch (error) {
    if (!isReason(error, 'ServiceUnavailable')) throw error
    return messageOf(error)
  }
}

const rotate = async (deps: DueKeysDeps, plan: KeyPlan): Promise<Waiting> => ({
  dataKeys: await rotateDataKeys(deps, plan.dataKeys),
  sealing: await rotateSealing(deps, plan.isSealingDue),
})

export interface DueKeysResult {
  /** The next moment (ms) at which time alone changes something. */
  readonly nextAt: number | undefined
  /** Something that is due could not be replaced: look again sooner. */
  readonly waits: boolean
}

export const rotateDueKeys = async (deps: DueKeysDeps): Promise<DueKeysResult> => {
  const { store, keys, clock } = deps
  const usualMs = keys.rotationMs
  const all = (await store.list('Project')).items
  const objects = new Map<string, KubeObject>(
    all.map((project) => [project.metadata.uid ?? keyOf(placeOf(project)), project]),
  )
  const ruleFor = (fact: ProjectKeysFact) => ruleOf(fact, objects.get(fact.uid), usualMs)
  const planNow = async () => {
    const facts = await keys.facts()
    return { facts, plan: planRotation(facts, ruleFor, { usualMs, nowMs: clock.now() }) }
  }
  const before = await planNow()
  const isDue = before.plan.dataKeys.length > 0 || before.plan.isSealingDue
  const acts = deps.rotatesKeys && isDue
  const waiting: Waiting = acts
    ? await rotate(deps, before.plan)
    : { dataKeys: new Map(), sealing: undefined }
  const { facts, plan } = acts ? await planNow() : before
  deps.onKeysDue(plan.dues)
  const nowMs = clock.now()
  const noted = await noteProjectKeys(deps, facts.projects, {
    ruleFor,
    objects,
    nowMs,
    waits: waiting.dataKeys,
  })
  const warnings = dueKeys(plan, { nowMs, waits: waiting.sealing })
  await keys.tellOf(warnings.due)
  return {
    nextAt: [noted, warnings.nextAt].reduce(earliest, plan.nextAt),
    waits: waiting.dataKeys.size > 0 || waiting.sealing !== undefined,
  }
}

const placeOf = ({ metadata }: KubeObject) => ({
  kind: 'Project',
  namespace: metadata.namespace ?? '',
  name: metadata.name,
})
