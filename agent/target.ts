// Chooses what one stagelet runs: what the controller said, or the revision to go back to where that has failed here.
// src/rollout decides, as in the controller, so that both decide the same.
import type { DesiredStagelet } from '../src/protocol/messages.ts'
import type { Quarantined } from '../src/resources/observation.ts'
import { liveQuarantine } from '../src/rollout/quarantine.ts'
import { decideRevision } from '../src/rollout/revision.ts'
import type { Environment } from '../src/compose/environment.ts'
import type { FileStore } from './file-store.ts'
import { createWant, type OpenedSecret, type Want } from './want.ts'
import type { StackState } from './stack-state.ts'
import type { StateFile } from './state-file.ts'

export interface Choice {
  readonly run: Want
  /** What to go back to where `run` fails. */
  readonly healthy: Want | undefined
  /** The failure for which `run` is not what the controller said. */
  readonly because: Quarantined | undefined
}

export interface Target {
  /** Takes a desired state; see StageletLoop.want. */
  set(
    desired: DesiredStagelet,
    entries: readonly OpenedSecret[],
    healthy: readonly OpenedSecret[] | undefined,
  ): void
  /** What to run now. Undefined before the first `set`. */
  choose(): Choice | undefined
  /** What is known to fail, as of the last `choose`. */
  quarantine(): readonly Quarantined[]
  /** Takes what a pass has found to fail. */
  setQuarantine(quarantine: readonly Quarantined[]): void
  readonly uid: string | undefined
}

/** `said` is what the controller wants, `healthy` what it named to go back to. */
export const chooseWant = (
  said: Want,
  healthy: Want | undefined,
  quarantine: readonly Quarantined[],
): Choice => {
  const wants = healthy === undefined ? [said] : [said, healthy]
  const { name, revision } = said.desired
  const decided = decideRevision({
    stagelet: name,
    newest: revision,
    quarantine,
    sets: wants.map(({ desired, entries }) => ({ revision: desired.revision, entries })),
  })
  const find = (wanted: number | undefined): Want | undefined =>
    wants.find(({ desired }) => desired.revision === wanted)
  const { failed: because } = decided
  return { run: find(decided.revision) ?? said, healthy: find(decided.fallback), because }
}

export const createTarget = (deps: {
  readonly stateFile: StateFile
  readonly baseEnv: Environment
  readonly files: Pick<FileStore, 'pathOf'>
  /** What runs, as far as it is known. */
  readonly state: () => StackState | undefined
}): Target => {
  let said: Want | undefined
  let healthy: Want | undefined
  let quarantine: readonly Quarantined[] | undefined

  return {
    set: (desired, entries, back) => {
      const settled = said !== undefined && deps.state()?.settledKey === said.key
      const before = said
      const want = (
        revision: number,
        own: readonly OpenedSecret[],
        also: readonly OpenedSecret[],
      ): Want =>
        createWant(
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
      const { revision, healthyRevision = revision } = desired
      said = want(revision, entries, back ?? [])
      healthy =
        back === undefined || healthyRevision === revision
          ? undefined
          : want(healthyRevision, back, entries)
    },
    choose: () => {
      if (said === undefined) return undefined
      const { uid, name, retry, healthyRevision = 0 } = said.desired
      const stored = deps.stateFile.get(uid)?.quarantine ?? []
      quarantine = liveQuarantine(quarantine ?? stored.map((q) => ({ ...q, message: '' })), {
        stagelet: name,
        retry,
        passed: deps.state()?.passed ?? {},
        healthyRevision,
        newest: said.entries,
      })
      return chooseWant(said, healthy, quarantine)
    },
    quarantine: () => quarantine ?? [],
    setQuarantine: (found) => {
      quarantine = found
    },
    get uid() {
      return said?.desired.uid
    },
  }
}
