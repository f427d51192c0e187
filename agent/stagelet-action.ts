// One action on one stack: clean up, `up` step by step, gate; and taking a stack down. What went
// wrong becomes part of the state; nothing here throws for it.
import type { Clock } from '../src/kernel/clock.ts'
import { toTimestamp } from '../src/kernel/clock.ts'
import { isAbort } from '../src/kernel/errors.ts'
import type { Logger } from '../src/kernel/log.ts'
import { endedFromOutside, findBlame } from './blame.ts'
import { cleanUpLeftovers } from './cleanup.ts'
import type { ComposeModel } from './compose-model.ts'
import type { Endings } from './endings.ts'
import { ComposeError } from '../src/compose/compose.ts'
import type { Compose } from '../src/compose/compose.ts'
import type { Engine } from './docker/engine.ts'
import { runGate } from './gate.ts'
import { observeProject } from './observe.ts'
import type { ObservedContainer } from './observe.ts'
import { renderOverride } from '../src/compose/override.ts'
import type { ServiceOverride } from '../src/compose/override.ts'
import type { Plan, Step } from './plan.ts'
import { forgetStalePasses } from './stack-state.ts'
import type { StackState } from './stack-state.ts'
import type { StateFile } from './state-file.ts'

export interface ActionDeps {
  readonly engine: Engine
  readonly compose: Compose
  readonly stateFile: StateFile
  readonly clock: Clock
  readonly log: Logger
  readonly endings: Endings
  /** Tells the owner that the report has changed. */
  readonly publish: () => void
}

export interface Action {
  readonly model: ComposeModel
  readonly overrides: readonly ServiceOverride[]
  readonly plan: Plan
  readonly full: boolean
  /** Services that are neither acted on nor judged now: healing them has to wait. */
  readonly blocked: readonly string[]
}

/** `superseded`: something newer is wanted, look again at once. */
export type ActionResult = 'done' | 'failed' | 'superseded'

/** Room for pulling images; after it Compose is told to end. */
const upDeadlineMs = 15 * 60_000

const up = (
  deps: ActionDeps,
  state: StackState,
  { model, overrides }: Action,
  step: Step,
): Promise<unknown> =>
  deps.compose.run({
    flags: [...model.flags, '-p', model.projectName, '-f', '-', '--progress', 'quiet'],
    // `--`: a service may be called `--build`.
    verb: ['up', '-d', ...(step.noDeps ? ['--no-deps'] : []), '--', ...step.services],
    cwd: state.want.desired.compose.directory,
    env: state.want.env,
    mask: state.want.mask,
    stdin: renderOverride(overrides),
    timeoutMs: upDeadlineMs,
  })

/** Written before the first `up`, so that an action cut off by a crash is finished after it. */
const recordIntent = async (
  deps: ActionDeps,
  state: StackState,
  { model, plan }: Action,
): Promise<void> => {
  const { uid, redeploy } = state.want.desired
  const before = deps.stateFile.get(uid)
  const present = state.containers.filter((c) => c.state === 'running').map((c) => c.service)
  const names = new Set([...(before?.services ?? present), ...plan.affected])
  await deps.stateFile.set(uid, {
    ...before,
    // Until it is seen to end by itself nothing of it is a job that is done.
    lasting: [...new Set([...(before?.lasting ?? []), ...plan.affected])].sort(),
    project: model.projectName,
    services: model.services.map((s) => s.name).filter((name) => names.has(name)),
    redeploy: before?.redeploy ?? redeploy,
    signature: before?.signature ?? '',
  })
}

/** After a full `up` the user's files are deployed as they were when read. */
const recordFull = async (
  deps: ActionDeps,
  state: StackState,
  { model }: Action,
): Promise<void> => {
  state.pendingEdits = []
  await deps.stateFile.set(state.want.desired.uid, {
    ...deps.stateFile.get(state.want.desired.uid),
    project: model.projectName,
    services: model.services.map((s) => s.name),
    redeploy: state.want.desired.redeploy,
    signature: model.signature,
  })
}

const newIn = (
  after: readonly ObservedContainer[],
  before: readonly ObservedContainer[],
): string[] => {
  const old = new Set(before.map((c) => c.id))
  return [...new Set(after.filter((c) => !old.has(c.id)).map((c) => c.service))].sort()
}

const fail = (deps: ActionDeps, state: StackState, message: string, service?: string): 'failed' => {
  state.phase = 'Failed'
  state.rollout = {
    ...(state.rollout ?? { revision: state.want.desired.revision }),
    result: 'Failed',
    finishedAt: toTimestamp(deps.clock.now()),
    message: message.slice(0, 8192),
    ...(service === undefined ? {} : { service }),
  }
  return 'failed'
}

/** Compose says why a pull failed, but not of which image. */
const missingImages = async (
  deps: ActionDeps,
  state: StackState,
  flags: readonly string[],
): Promise<string> => {
  const { desired, env, mask } = state.want
  try {
    const call = { flags, verb: ['config', '--images'], cwd: desired.compose.directory, env, mask }
    const { stdout } = await deps.compose.run(call)
    const names = [...new Set(stdout.split('\n').filter((n) => n !== ''))].sort()
    const here = await Promise.all(names.map((n) => deps.engine.hasImage(n)))
    const missing = names.filter((_, i) => here[i] === false)
    return missing.length === 0
      ? ''
      : `not on this machine and not to be pulled: image ${mask(missing.join(', '))}\n`
  } catch {
    return ''
  }
}

const failUp = async (
  deps: ActionDeps,
  state: StackState,
  error: unknown,
  flags: readonly string[] = [],
): Promise<'failed'> => {
  if (!(error instanceof ComposeError)) throw error
  // 15 is Compose's word for files that it does not accept; nothing has been touched then.
  if (error.exitCode === 15) {
    const message = `Compose does not accept the stack's files: ${error.stderr}`
    state.fault = { reason: 'ComposeInvalid', message }
  }
  const images = error.exitCode === 18 ? await missingImages(deps, state, flags) : ''
  return fail(deps, state, images + error.message)
}

const countRecreated = (
  state: StackState,
  { plan, full }: Action,
  before: readonly ObservedContainer[],
): void => {
  const recreated = newIn(state.containers, before)
  const meant = new Set(plan.affected.filter((name) => !plan.peers.includes(name)))
  const cascaded = full ? [] : recreated.filter((name) => !meant.has(name))
  state.rollout = {
    ...(state.rollout ?? { revision: state.want.desired.revision, result: 'Progressing' as const }),
    recreated,
    ...(cascaded.length === 0 ? {} : { cascaded }),
  }
}

/** Carries out the plan's steps; the gate comes apart. */
export const applyPlan = async (
  deps: ActionDeps,
  state: StackState,
  action: Action,
  isSuperseded: () => boolean,
): Promise<ActionResult> => {
  const { model, plan, full } = action
  const { revision } = state.want.desired
  state.phase = 'Applying'
  // From here on something else runs: to go back to what was settled is no healing of drift.
  if (state.settledKey !== state.want.key) state.settledKey = ''
  state.rollout = { revision, result: 'Progressing', startedAt: toTimestamp(deps.clock.now()) }
  deps.publish()
  const before = state.containers
  await recordIntent(deps, state, action)
  if ((await cleanUpLeftovers(deps.engine, before)) > 0)
    deps.log.warn({ project: model.projectName }, 'removed what an interrupted up had left behind')
  let result: ActionResult = 'done'
  for (const step of plan.steps) {
    try {
      await up(deps, state, action, step)
    } catch (error) {
      result = await failUp(deps, state, error, model.flags)
      break
    }
    if (isSuperseded()) {
      result = 'superseded'
      break
    }
  }
  if (result === 'done' && full) await recordFull(deps, state, action)
  state.containers = await observeProject(deps.engine, model.projectName)
  forgetStalePasses(state)
  countRecreated(state, action, before)
  return result
}

const finishRollout = (deps: ActionDeps, state: StackState): void => {
  const { rollout, goingBackFrom: failed } = state
  if (rollout === undefined || rollout.result === 'Healthy' || rollout.result === 'RolledBack')
    return
  const { message: _message, service: _service, ...rest } = rollout
  const finishedAt = toTimestamp(deps.clock.now())
  state.rollout =
    failed === undefined
      ? { ...rest, result: 'Healthy', finishedAt }
      : {
          ...rest,
          result: 'RolledBack',
          finishedAt,
          service: failed.service,
          message: failed.message,
        }
}

/** Judges the services; those that pass are added to `state.passed`. */
export const gateServices = async (
  deps: ActionDeps,
  state: StackState,
  { project, wanted }: { project: string; wanted: ReadonlyMap<string, string> },
  signal: AbortSignal,
): Promise<ActionResult> => {
  const endingOf = deps.endings.of
  state.phase = 'Gating'
  state.gateFailure = undefined
  deps.publish()
  try {
    const gateDeps = {
      engine: deps.engine,
      clock: deps.clock,
      mask: state.want.mask,
      isStopped: (c: ObservedContainer) => endedFromOutside(endingOf, c) !== undefined,
    }
    const onWaiting = (what: readonly string[]): void => {
      state.waitingFor = what
      deps.publish()
    }
    const result = await runGate(gateDeps, { project, wanted, onWaiting }, signal)
    state.containers = result.containers
    const digests = Object.entries(result.passed).filter(([, digest]) => digest !== '')
    state.passed = { ...state.passed, ...Object.fromEntries(digests) }
    if (result.failure !== undefined) {
      const failed = result.failure.service
      state.passed = Object.fromEntries(
        Object.entries(state.passed).filter(([name]) => name !== failed),
      )
      const blame = await findBlame(
        result.failure,
        result.containers,
        { endingOf, clock: deps.clock },
        signal,
      )
      if (blame.onWhatItGot) state.gateFailure = result.failure
      const said = blame.onWhatItGot ? undefined : blame.message
      return fail(deps, state, said ?? result.failure.message, failed)
    }
    finishRollout(deps, state)
    return 'done'
  } catch (error) {
    if (isAbort(error)) return 'superseded'
    throw error
  } finally {
    state.waitingFor = []
  }
}

/** Takes the stack down, volumes kept. The project's labels tell Compose what belongs to it. */
export const takeDown = async (
  deps: ActionDeps,
  state: StackState,
  project: string,
): Promise<ActionResult> => {
  state.phase = 'Applying'
  deps.publish()
  try {
    const { env, mask, desired } = state.want
    // No folder of a user: a compose file found there would narrow what is taken down.
    await deps.compose.run({
      flags: ['-p', project],
      verb: ['down', ...(desired.releaseVolumes === true ? ['--volumes'] : [])],
      cwd: '/proc',
      env,
      mask,
      timeoutMs: upDeadlineMs,
    })
    return 'done'
  } catch (error) {
    return await failUp(deps, state, error)
  }
}
