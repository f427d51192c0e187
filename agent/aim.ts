// What one stagelet is to run: the target, or what to go back to where the target has failed.
import type { DesiredStagelet } from '../src/protocol/messages.ts'
import type { Quarantined } from '../src/resources/observation.ts'
import type { Environment } from '../src/compose/environment.ts'
import type { FileStore } from './file-store.ts'
import { chooseWant, liveQuarantine, type Choice } from './quarantine.ts'
import { createWant, type HeldEntry, type StackState, type Want } from './stack-state.ts'
import type { StateFile } from './state-file.ts'

export interface Aim {
  /** Takes what the controller says; see StageletLoop.want. */
  take(
    desired: DesiredStagelet,
    entries: readonly HeldEntry[],
    healthy: readonly HeldEntry[] | undefined,
  ): void
  /** What to run now. Undefined before the first `take`. */
  choose(): Choice | undefined
  /** What is known to fail, as of the last `choose`. */
  quarantine(): readonly Quarantined[]
  /** What a pass has found out. */
  note(quarantine: readonly Quarantined[]): void
  readonly uid: string | undefined
}

export const createAim = (deps: {
  readonly stateFile: StateFile
  readonly baseEnv: Environment
  readonly files: Pick<FileStore, 'pathOf'>
  /** What runs, as far as it is known. */
  readonly state: () => StackState | undefined
}): Aim => {
  let target: Want | undefined
  let healthy: Want | undefined
  let quarantine: readonly Quarantined[] | undefined

  return {
    take: (desired, entries, back) => {
      const settled = target !== undefined && deps.state()?.settledKey === target.key
      const before = target
      const want = (
        revision: number,
        own: readonly HeldEntry[],
        also: readonly HeldEntry[],
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
      target = want(revision, entries, back ?? [])
      healthy =
        back === undefined || healthyRevision === revision
          ? undefined
          : want(healthyRevision, back, entries)
    },
    choose: () => {
      if (target === undefined) return undefined
      const stored = deps.stateFile.get(target.desired.uid)?.quarantine ?? []
      quarantine ??= stored.map((q) => ({ ...q, message: '' }))
      quarantine = liveQuarantine(quarantine, target, deps.state()?.passed ?? {})
      return chooseWant(target, healthy, quarantine)
    },
    quarantine: () => quarantine ?? [],
    note: (found) => {
      quarantine = found
    },
    get uid() {
      return target?.desired.uid
    },
  }
}
