// Runs Compose for a person as the agent runs it: with the same files and override, and under the project's lock where
// the command changes something.
import { randomUUID } from 'node:crypto'
import { Writable } from 'node:stream'
import { background, logFault } from '../../src/kernel/async/background.ts'
import { withLabel, type ManualCommand } from '../../src/compose/by-hand.ts'
import type { Compose } from '../../src/compose/compose.ts'
import type { Environment } from '../../src/compose/environment.ts'
import { renderOverride, type ServiceOverride } from '../../src/compose/override.ts'
import { defined } from '../../src/kernel/defined.ts'
import { linkedAbort } from '../../src/kernel/async/linked-abort.ts'
import { messageOf, StagelyError } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { mark, type Masker } from '../../src/masking/masker.ts'
import { runLabel } from '../../src/resources/meta.ts'
import { callFor, requestFor, type StackTarget } from '../state/stack-target.ts'
import type { ModelSource } from '../borders/model-source.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import type { Engine } from '../docker/engine.ts'
import type { FileStore } from '../files/file-store.ts'
import { observeProject } from '../observed/observe.ts'
import { type ObservedContainer } from '../observed/container.ts'
import { prepareOverrides } from '../actions/prepare-overrides.ts'
import { projectClaimOf, claimProject, type ProjectClaimDeps } from '../borders/project-claim.ts'
import type { ManualRuns } from './manual-runs.ts'

export interface ManualOrder {
  readonly command: ManualCommand
  readonly user: string
  /** Called with masked output. It must call `taken` when there is room for more. */
  readonly onOutput: (from: 'stdout' | 'stderr', bytes: Buffer, taken: () => void) => void
  readonly onNote: (text: string) => void
  /** Aborts when the person is gone. */
  readonly signal: AbortSignal
}

/** One stack, from its loop. */
export interface ManualRunDeps extends ProjectClaimDeps {
  readonly engine: Engine
  readonly compose: Compose
  readonly files: FileStore
  readonly log: Logger
  readonly models: ModelSource
  readonly manualRuns: ManualRuns
  readonly baseEnv: Environment
  readonly upDeadlineMs: number
  /** What is to run now; undefined before the first target. */
  readonly choose: () => StackTarget | undefined
  /** Hides every value that the stack got. */
  readonly masker: () => Masker
}

interface ManualStack {
  readonly target: StackTarget
  readonly model: ComposeModel
}

/** Claims the project as the agent does, so that a person changes no foreign stack of the same name. */
const readStack = async (deps: ManualRunDeps): Promise<ManualStack> => {
  const target = deps.choose()
  if (target === undefined || target.desired.release !== undefined)
    throw new StagelyError('Conflict', 'the agent is letting go of this stagelet')
  const read = await deps.models.read(requestFor(target))
  if ('fault' in read) throw new StagelyError('Conflict', read.fault.message)
  const { projectName: project } = read.model
  const { uid, compose } = target.desired
  const { adopt = [] } = compose
  const result = await claimProject(deps, { uid, adopt, ...projectClaimOf(project, read.model) })
  if ('fault' in result) throw new StagelyError('Conflict', result.fault.message)
  return { target, model: read.model }
}

const withoutValues = (overrides: readonly ServiceOverride[]): ServiceOverride[] =>
  overrides.map((o) => ({
    ...o,
    entries: o.entries.map(({ key }) => ({ key, value: Buffer.from(mark) })),
  }))

/** The override that Compose reads from its input; undefined where the command needs none. */
const inputFor = async (
  deps: ManualRunDeps,
  { target, model }: ManualStack,
  { override }: ManualCommand,
): Promise<Buffer | undefined> => {
  if (override === 'none') return undefined
  const prepared = await prepareOverrides(target, model, deps)
  if ('fault' in prepared) throw new StagelyError('Conflict', prepared.fault.message)
  const { overrides } = prepared
  return renderOverride(override === 'names' ? withoutValues(overrides) : overrides)
}

/** Passes on what Compose prints, with all values hidden, also those that the stack got during the run. */
const maskedOutput = (
  masker: () => Masker,
  give: (bytes: Buffer, taken: () => void) => void,
): Writable => {
  let current = masker()
  let stream = current.stream()
  const pass = (bytes: Buffer, taken: () => void): void => {
    if (bytes.length === 0) taken()
    else give(bytes, taken)
  }
  return new Writable({
    write: (chunk: Buffer, _encoding, taken) => {
      const held = masker() === current ? Buffer.alloc(0) : stream.end()
      if (masker() !== current) stream = (current = masker()).stream()
      const certain = stream.write(chunk)
      // The masker may keep a newline back, as the beginning of a value. At the end of a line it is passed on.
      const rest = chunk.at(-1) === 10 ? stream.flush() : Buffer.alloc(0)
      pass(Buffer.concat([held, certain, rest]), taken)
    },
    final: (taken) => pass(stream.end(), taken),
  })
}

const runCompose = async (
  deps: ManualRunDeps,
  order: ManualOrder,
  project: string,
): Promise<number> => {
  const { command, onOutput, onNote } = order
  // Read now: the target may have changed during the wait for the lock.
  const stack = await readStack(deps)
  const { target, model } = stack
  if (model.projectName !== project)
    throw new StagelyError('Conflict', 'the stack has another project by now: ask again')
  const input = await inputFor(deps, stack, command)
  const { cwd, env } = callFor(target, model)
  const deadline = AbortSignal.timeout(deps.upDeadlineMs)
  // A command that only reads may go on as long as somebody watches.
  const ended = command.alters ? linkedAbort(order.signal, deadline) : linkedAbort(order.signal)
  const piped = deps.compose.pipe({
    flags: [
      ...model.flags,
      ...['-p', model.projectName],
      ...(input === undefined ? [] : ['-f', '-']),
      ...['--progress', 'plain'],
    ],
    verb: command.args,
    cwd,
    env: command.override === 'names' ? deps.baseEnv : env,
    ...defined({ stdin: input }),
    stdout: maskedOutput(deps.masker, (bytes, taken) => onOutput('stdout', bytes, taken)),
    stderr: maskedOutput(deps.masker, (bytes, taken) => onOutput('stderr', bytes, taken)),
    signal: ended.signal,
  })
  const { exitCode, startError } = await piped.finally(() => ended.abort())
  if (startError !== undefined) onNote(`Compose could not be started (${startError})`)
  if (command.alters && deadline.aborted) onNote('Compose ran into its deadline and was ended')
  return exitCode
}

/** Runs a command, and stops its container when the person is gone: Compose passes SIGTERM on, but a program that ignores it would go on with the secrets. */
const runWatched = async (
  deps: ManualRunDeps,
  order: ManualOrder,
  project: string,
): Promise<number> => {
  const id = randomUUID()
  const { command, signal } = order
  const args = withLabel(command.args, `${runLabel}=${id}`)
  // With "--rm" the engine removes the container by itself.
  const stop = async (): Promise<void> => {
    try {
      const all = await deps.engine.listContainers(project)
      const own = all.filter(({ Labels }) => Labels[runLabel] === id)
      await Promise.all(own.map(({ Id }) => deps.engine.stop(Id)))
    } catch (error) {
      const reason = messageOf(error)
      deps.log.warn({ reason }, 'the container of an interrupted run was not stopped')
    }
  }
  const onGone = (): void =>
    background(stop, logFault(deps.log, 'the container of an interrupted run was not stopped'))
  signal.addEventListener('abort', onGone, { once: true })
  const exitCode = await runCompose(deps, { ...order, command: { ...command, args } }, project)
  signal.removeEventListener('abort', onGone)
  // Also a container that was just being made.
  if (signal.aborted) await stop()
  return exitCode
}

/** Services with other containers than before, or with containers in another state. */
const changedBetween = (
  before: readonly ObservedContainer[],
  after: readonly ObservedContainer[],
): string[] => {
  const keys = (all: readonly ObservedContainer[]): Map<string, string> =>
    new Map(all.map((c) => [`${c.id} ${c.state} ${c.startedAt}`, c.service]))
  const [old, now] = [keys(before), keys(after)]
  const gone = [...old].filter(([key]) => !now.has(key))
  const come = [...now].filter(([key]) => !old.has(key))
  return [...new Set([...gone, ...come].map(([, service]) => service))].sort()
}

/** Longer command lines are cut in reports. */
const mostTold = 200

const alterStack = async (
  deps: ManualRunDeps,
  order: ManualOrder,
  project: string,
): Promise<number> => {
  const before = await observeProject(deps.engine, project)
  const command = deps.masker().mask(order.command.words.join(' ')).slice(0, mostTold)
  const { user } = order
  const work = deps.manualRuns.begin({ command, user })
  deps.log.info({ command, user }, 'a person alters the stack by the agent')
  let exitCode = 1
  try {
    exitCode = await runCompose(deps, order, project)
    return exitCode
  } finally {
    const after = await observeProject(deps.engine, project).catch(() => before)
    work.end({ exitCode, touched: changedBetween(before, after) })
  }
}

/** Resolves to Compose's exit code. StagelyError where it cannot be run. */
export const runByHand = async (from: ManualRunDeps, order: ManualOrder): Promise<number> => {
  const { target, model } = await readStack(from)
  const deps = { ...from, log: from.log.child({ stagelet: target.desired.name }) }
  const project = model.projectName
  if (order.command.isWatchedRun) return await runWatched(deps, order, project)
  if (!order.command.alters) return await runCompose(deps, order, project)
  if (deps.locks.isBusy(project)) order.onNote('waiting: the agent is at work on this stack')
  return await deps.locks.run(project, () =>
    order.signal.aborted ? Promise.resolve(130) : alterStack(deps, order, project),
  )
}
