// An action on a stack: what it needs, and how it ends.
import { toFineTimestamp, type Clock } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { Compose } from '../../src/compose/compose.ts'
import type { KeptNetwork, ServiceOverride } from '../../src/compose/override.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import type { Engine } from '../docker/engine.ts'
import type { ContainerExits } from '../observed/container-exits.ts'
import type { ModelSource } from '../borders/model-source.ts'
import type { ActionPlan } from './plan.ts'
import type { StackChange, StackState } from '../state/stack-state.ts'
import type { ActionStep } from './steps.ts'
import type { StateFile } from '../state/state-file.ts'

export interface ActionDeps {
  readonly engine: Engine
  readonly compose: Compose
  readonly models: Pick<ModelSource, 'read'>
  readonly stateFile: StateFile
  readonly clock: Clock
  readonly log: Logger
  readonly exits: ContainerExits
  /** Deadline of one run of Compose, with room for pulling images. */
  readonly upDeadlineMs: number
}

export interface StackAction {
  readonly model: ComposeModel
  readonly overrides: readonly ServiceOverride[]
  readonly plan: ActionPlan
  readonly full: boolean
  /** Networks that the user has edited. A step for services must not change them. */
  readonly keptNetworks: readonly KeptNetwork[]
  /** After an `up` of all services that failed: the steps for the rest, without these services. */
  readonly stepsAfter: (stuck: ReadonlyMap<string, string>) => Promise<readonly ActionStep[]>
  /** Services that are left out of the action and of its gate, as their healing has to wait. */
  readonly blocked: readonly string[]
}

/** The stack is not what the plan was made of any more: it is planned again. */
export class PlanOutdated extends Error {}

/** `superseded`: a newer target has ended the action, or its plan is outdated. */
export type ActionResult = 'done' | 'failed' | 'superseded'

export interface PassSignals {
  readonly isSuperseded: () => boolean
  /** Aborts a gate when a newer target comes or the loop stops. */
  readonly signal: AbortSignal
}

/** Tells that the action failed, and why. */
export const failedAction = (
  { clock }: Pick<ActionDeps, 'clock'>,
  { rollout, target }: StackState,
  message: string,
  service?: string,
): StackChange => ({
  phase: 'Failed',
  rollout: {
    ...(rollout ?? { revision: target.desired.revision }),
    result: 'Failed',
    finishedAt: toFineTimestamp(clock.now()),
    message: message.slice(0, 8192),
    ...defined({ service }),
  },
})
