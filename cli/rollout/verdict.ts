// Whether a rollout is over, and the text about its progress. Pure.
import type { Rollout, RolloutStagelet } from '../../src/generated/rest-types.ts'
import type { RolloutTarget } from './target.ts'

export interface RolloutVerdict {
  /** `held`: nothing failed, but the rollout does not continue by itself. */
  readonly outcome: 'waiting' | 'held' | 'done' | 'failed'
  /** The state; for a failure, the cause and the remedy. */
  readonly lines: readonly string[]
}

const firstLine = (text: string): string => text.split(/[\n\r\u2028\u2029]/)[0] ?? ''

const count = (n: number): string => `${n} ${n === 1 ? 'stagelet' : 'stagelets'}`

const waitsFor = (stagelets: readonly RolloutStagelet[]): string[] =>
  stagelets
    .filter(({ standing, message }) => standing === 'busy' && message !== '')
    .map(({ name, message }) => `  stagelet/${name}: ${firstLine(message)}`)

const judgeProject = (view: Rollout): RolloutVerdict => {
  const { project, revision, state, stagelets, held } = view
  const total = stagelets.length
  const heldNote =
    held === 0
      ? []
      : [`${count(held)} left out: paused, drained, stopped by hand, or the agent is away`]
  if (state === 'Complete') {
    const line = `project "${project}" successfully rolled out: revision ${revision}, healthy on ${count(view.healthy)}`
    return { outcome: 'done', lines: [line, ...heldNote] }
  }
  if (state === 'Stopped' || state === 'Braked') {
    const go =
      state === 'Stopped'
        ? `try again with "stagely rollout retry project/${project}", or go back with "stagely rollout undo project/${project}"`
        : `go on with "stagely rollout resume project/${project}"`
    const word = state === 'Stopped' ? 'stopped' : 'braked'
    const lines = [`rollout of project "${project}" ${word}: ${view.message}`, go]
    return { outcome: 'failed', lines }
  }
  if (state === 'Failed') {
    const bad = stagelets.filter(({ standing }) => standing === 'failed')
    const lines = bad.map(({ name, reason, message }) =>
      [`  stagelet/${name}`, reason, message].filter((part) => part !== undefined).join(': '),
    )
    const head = `rollout of project "${project}" failed: ${view.message}`
    return { outcome: 'failed', lines: [head, ...lines] }
  }
  const isOpen = view.failed > 0 || view.waiting > 0
  // Unseen stagelets are not done, and a pause does not keep them from being seen again.
  if (state === 'Paused' && view.progressing === 0 && (isOpen || view.unknown === undefined)) {
    const line = `Rollout of project "${project}" is paused (${view.message}); go on with "stagely rollout resume project/${project}"`
    const outcome = view.failed > 0 ? 'failed' : isOpen ? 'held' : 'done'
    return { outcome, lines: [line] }
  }
  const stuck = stagelets.filter((s) => s.standing === 'busy' && s.reason !== undefined)
  if (stuck.length > 0) {
    const lines = stuck.map((s) => `  stagelet/${s.name}: ${s.reason}: ${s.message}`)
    const head = `rollout of project "${project}" does not go on by itself:`
    return { outcome: 'failed', lines: [head, ...lines] }
  }
  const line = `Waiting for rollout of project "${project}" to finish: ${view.healthy} of ${total - held} stagelets healthy (${view.message})...`
  return { outcome: 'waiting', lines: [line, ...waitsFor(stagelets)] }
}

const judgeStagelet = (view: Rollout, name: string): RolloutVerdict => {
  const own = view.stagelets.find((s) => s.name === name)
  if (own === undefined)
    return { outcome: 'failed', lines: [`stagelet "${name}" was deleted while waiting`] }
  const { revision } = view
  if (own.standing === 'healthy') {
    const line = `stagelet "${name}" successfully rolled out: revision ${revision}`
    return { outcome: 'done', lines: [line] }
  }
  if (own.standing === 'failed' || own.standing === 'late') {
    const why = own.standing === 'late' ? 'not healthy within its deadline' : own.message
    const lines = [
      `rollout of stagelet "${name}" failed at revision ${revision}: ${why}`,
      `try again with "stagely rollout retry stagelet/${name}", or go back with "stagely rollout undo project/${view.project}"`,
    ]
    return { outcome: 'failed', lines }
  }
  if (own.reason !== undefined) {
    const line = `rollout of stagelet "${name}" to revision ${revision} does not go on by itself: ${own.reason}: ${own.message}`
    return { outcome: own.standing === 'held' ? 'held' : 'failed', lines: [line] }
  }
  const why = own.message === '' ? own.standing : firstLine(own.message)
  const line = `Waiting for rollout of stagelet "${name}" to revision ${revision}: ${why}...`
  return { outcome: 'waiting', lines: [line] }
}

export const judgeRollout = (view: Rollout, target: RolloutTarget): RolloutVerdict => {
  const verdict = target.kind === 'Project' ? judgeProject(view) : judgeStagelet(view, target.name)
  const isBad = verdict.outcome === 'failed' || verdict.outcome === 'held'
  if (!view.change_set_open || isBad) return verdict
  const line = `Waiting for the change set of project "${view.project}" to close as revision ${view.revision + 1}...`
  return { outcome: 'waiting', lines: [line] }
}
