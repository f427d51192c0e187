// Calls of Compose that make and start containers.
import { ComposeError } from '../../src/compose/compose.ts'
import { renderOverride } from '../../src/compose/override.ts'
import { failedAction, PlanOutdated, type StackAction, type ActionDeps } from './action.ts'
import { callFor, requestFor } from '../state/stack-target.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import { findImageless, imageOf } from '../observed/images.ts'
import { listProject, type ListedContainer } from '../observed/observe.ts'
import { sayPortHolders } from '../observed/port-holders.ts'
import type { StackChange, StackState } from '../state/stack-state.ts'
import { dependenciesOf } from '../compose/dependencies.ts'
import type { ActionStep } from './steps.ts'

/** Flags of every run that changes containers. A run that outlived its agent is found by them. */
export const workingFlags = ({
  projectName,
}: Pick<ComposeModel, 'projectName'>): readonly string[] => [
  ...['-p', projectName],
  ...['--progress', 'quiet'],
]

/**
 * To be called right before each run of Compose, which reads the files anew: throws PlanOutdated where the stack is
 * refused by now, or where its files were edited since the plan and the run would make containers of them.
 */
const checkPlan = async (
  { models }: ActionDeps,
  { target }: StackState,
  { model }: StackAction,
  makes: boolean,
): Promise<void> => {
  const now = await models.read(requestFor(target))
  if ('fault' in now) throw new PlanOutdated(now.fault.message)
  if (makes && now.model.inputs !== model.inputs)
    throw new PlanOutdated('the files were edited meanwhile')
}

const run = async (
  deps: ActionDeps,
  state: StackState,
  action: StackAction,
  verb: readonly string[],
): Promise<void> => {
  const { model, overrides, keptNetworks } = action
  await checkPlan(deps, state, action, !verb.includes('--no-recreate'))
  await deps.compose.run({
    flags: [...model.flags, '-f', '-', ...workingFlags(model)],
    verb,
    ...callFor(state.target, model),
    stdin: renderOverride(overrides, keptNetworks),
    timeoutMs: deps.upDeadlineMs,
  })
}

/** Services with a container that ran before and was replaced by one that does not run. */
const onlyMade = (
  before: readonly ListedContainer[],
  after: readonly ListedContainer[],
): string[] => {
  const old = new Set(before.map((c) => c.id))
  const ran = new Set(before.filter((c) => c.state === 'running').map((c) => c.service))
  const made = after.filter((c) => !old.has(c.id) && c.state === 'created' && ran.has(c.service))
  return made.map((c) => c.service)
}

/** Starts containers that exist, and makes none anew, whatever the files say. */
const startAlone = 'up -d --no-deps --no-recreate --no-build --pull never --'.split(' ')

/**
 * Makes the containers of these services as part of the whole stack, and then starts them alone. An `up` would also
 * start their dependencies and wait for them; with `--no-deps` the containers would be made differently.
 */
const createAndStart = async (
  deps: ActionDeps,
  state: StackState,
  action: StackAction,
  step: ActionStep,
): Promise<void> => {
  const { model } = action
  const byName = new Map(model.services.map((s) => [s.name, s]))
  const below = step.services.flatMap((name) => [...dependenciesOf(name, byName)])
  // Dependencies must not be made from a newer image in passing.
  const isRefreshed = below.some((name) => byName.get(name)?.refreshes)
  const pull = isRefreshed ? ['--pull', 'missing'] : []
  const force = step.forced === true ? ['--force-recreate'] : []
  const before = await listProject(deps.engine, model.projectName)
  await run(deps, state, action, ['create', ...pull, ...force, '--', ...step.services])
  const after = await listProject(deps.engine, model.projectName)
  const others = onlyMade(before, after).filter((name) => !step.services.includes(name))
  await run(deps, state, action, [...startAlone, ...step.services, ...new Set(others)])
}

/** ComposeError where Compose fails. */
export const up = async (
  deps: ActionDeps,
  state: StackState,
  action: StackAction,
  step: ActionStep,
): Promise<void> => {
  if (step.networks === true) {
    await run(deps, state, { ...action, keptNetworks: [] }, [...startAlone, ...step.services])
    return
  }
  if (step.services.length > 0 && !step.noDeps) {
    await createAndStart(deps, state, action, step)
    return
  }
  const force = step.forced === true ? ['--force-recreate'] : []
  // After `--`, as a service may be called `--build`.
  const verb = ['up', '-d', ...(step.noDeps ? ['--no-deps'] : []), ...force, '--', ...step.services]
  await run(deps, state, action, verb)
}

/** Adds the images that are missing: Compose says why a pull failed, but not of which image. */
const missingImages = async (
  deps: ActionDeps,
  state: StackState,
  model: ComposeModel,
  names: readonly string[],
): Promise<string> => {
  const asked = model.services.filter((s) => names.length === 0 || names.includes(s.name))
  const missing = await findImageless(deps, model, asked)
  if (missing.length === 0) return ''
  const lacking = asked.filter((s) => missing.includes(s.name))
  return `${state.target.mask(sayMissing(lacking.map((s) => [imageOf(model, s), s.name])))}\n`
}

/** From pairs of an image and a service that uses it. */
export const sayMissing = (pairs: readonly (readonly [image: string, service: string])[]): string =>
  [...new Set(pairs.map(([image]) => image))]
    .sort()
    .map((image) => {
      const names = pairs.filter(([pulled]) => pulled === image).map(([, service]) => service)
      const noun = names.length === 1 ? 'service' : 'services'
      return `${noun} ${names.sort().join(', ')}: image ${image} is not on this machine and not to be pulled`
    })
    .join('; ')

/** Tells that Compose failed, and why. */
export const failedUp = async (
  deps: ActionDeps,
  state: StackState,
  error: unknown,
  request?: { readonly model: ComposeModel; readonly services: readonly string[] },
): Promise<StackChange> => {
  if (!(error instanceof ComposeError)) throw error
  // With exit code 15 Compose refuses the files, and has changed nothing.
  const message = `Compose does not accept the stack's files: ${error.stderr}`
  const fault = error.exitCode === 15 && { fault: { reason: 'ComposeInvalid', message } }
  const { model, services = [] } = request ?? {}
  const holders =
    model === undefined
      ? []
      : sayPortHolders(
          model.services,
          services,
          await deps.engine.listContainers(model.projectName),
        )
  // A failed pull: newer versions exit with 1 for it, as for many other failures.
  const mayBePull = [1, 18].includes(error.exitCode ?? 0)
  const images =
    mayBePull && request !== undefined
      ? await missingImages(deps, state, request.model, request.services)
      : ''
  return { ...failedAction(deps, state, [images + error.message, ...holders].join('\n')), ...fault }
}

/** Restarts containers without making them anew, so that no override is needed. ComposeError where Compose fails. */
export const restart = async (
  deps: ActionDeps,
  state: StackState,
  action: StackAction,
  services: readonly string[],
): Promise<void> => {
  const { model } = action
  await checkPlan(deps, state, action, false)
  await deps.compose.run({
    flags: [...model.flags, ...workingFlags(model)],
    verb: ['restart', '--no-deps', '--', ...services],
    ...callFor(state.target, model),
    timeoutMs: deps.upDeadlineMs,
  })
}
