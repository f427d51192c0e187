// Chooses what one stagelet runs: what the controller said, or a revision to go back to where that has failed here.
// src/rollout decides, as in the controller, so that both decide the same.
import type { DesiredStagelet } from '../../src/protocol/messages.ts'
import type { Quarantined } from '../../src/kinds/observation/schema.ts'
import { liveQuarantine } from '../../src/rollout/quarantine.ts'
import { decideRevision } from '../../src/rollout/revision.ts'
import type { Environment } from '../../src/compose/environment.ts'
import type { FileStore } from '../files/file-store.ts'
import { createStackTarget, type OpenedSecret, type StackTarget } from '../state/stack-target.ts'
import type { StackState } from '../state/stack-state.ts'
import type { StateFile } from '../state/state-file.ts'

export interface ChosenTarget {
  readonly run: StackTarget
  /** What was healthy before: where `run` fails, what is new since is to blame, and there is something to go back to. */
  readonly healthy: StackTarget | undefined
  /** The failure for which `run` is not what the controller said. */
  readonly rollbackCause: Quarantined | undefined
}

interface TargetChooser {
  /** Takes a desired state; see StageletLoop.setDesired. */
  set(
    desired: DesiredStagelet,
    entries: readonly OpenedSecret[],
    healthy: readonly OpenedSecret[] | undefined,
    previous?: readonly OpenedSecret[],
  ): void
  /** What to run now. Undefined before the first `set`. */
  choose(): ChosenTarget | undefined
  /** What is known to fail, as of the last `choose`. */
  quarantine(): readonly Quarantined[]
  /** Takes what a pass has found to fail. */
  setQuarantine(quarantine: readonly Quarantined[]): void
  readonly uid: string | undefined
}

/** `said` is what the controller asks for, `healthy` and `previous` what it named to go back to. */
export const chooseTarget = (
  ordered: StackTarget,
  {
    healthy,
    previous,
  }: Pick<ChosenTarget, 'healthy'> & { readonly previous?: StackTarget | undefined },
  quarantine: readonly Quarantined[],
): ChosenTarget => {
  const targets = [ordered, previous, healthy].filter((target) => target !== undefined)
  const { name, revision } = ordered.desired
  const decided = decideRevision({
    stagelet: name,
    newest: revision,
    healthy: healthy?.desired.revision ?? 0,
    quarantine,
    sets: targets.map(({ desired, entries }) => ({ revision: desired.revision, entries })),
  })
  const find = (wanted: number | undefined): StackTarget | undefined =>
    targets.find(({ desired }) => desired.revision === wanted)
  const { failed: rollbackCause } = decided
  return { run: find(decided.revision) ?? ordered, healthy: find(decided.fallback), rollbackCause }
}

export const createTargetChooser = (deps: {
  readonly stateFile: StateFile
  readonly baseEnv: Environment
  readonly files: Pick<FileStore, 'pathOf'>
  /** What runs, as far as it is known. */
  readonly state: () => StackState | undefined
}): TargetChooser => {
  let ordered: StackTarget | undefined
  let healthy: StackTarget | undefined
  let previous: StackTarget | undefined
  let quarantine: readonly Quarantined[] | undefined

  return {
    set: (desired, entries, healthySet, previousSet) => {
      const settled = ordered !== undefined && deps.state()?.settled.key === ordered.key
      const before = ordered
      const also = [...(previousSet ?? []), ...(healthySet ?? []), ...entries]
      const targetOf = (revision: number, own: readonly OpenedSecret[]): StackTarget =>
        createStackTarget(
          {
            desired: { ...desired, revision },
            entries: own,
            base: deps.baseEnv,
            // The folder of all files.
            hidden: deps.files.pathOf('', ''),
            also,
          },
          before,
          settled,
        )
      const { revision, healthyRevision, previousRevision } = desired
      const other = (
        named: number | undefined,
        own: readonly OpenedSecret[] | undefined,
      ): StackTarget | undefined =>
        named === undefined || own === undefined || named === revision
          ? undefined
          : targetOf(named, own)
      ordered = targetOf(revision, entries)
      healthy = other(healthyRevision, healthySet)
      previous = other(previousRevision, previousSet)
    },
    choose: () => {
      if (ordered === undefined) return undefined
      const { uid, name, retry, healthyRevision = 0 } = ordered.desired
      const stored = deps.stateFile.get(uid)?.quarantine ?? []
      quarantine = liveQuarantine(quarantine ?? stored.map((q) => ({ ...q, message: '' })), {
        stagelet: name,
        retry,
        passed: deps.state()?.passed ?? {},
        healthyRevision,
        newest: ordered.entries,
      })
      return chooseTarget(ordered, { healthy, previous }, quarantine)
    },
    quarantine: () => quarantine ?? [],
    setQuarantine: (found) => {
      quarantine = found
    },
    get uid() {
      return ordered?.desired.uid
    },
  }
}
