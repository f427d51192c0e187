// A service as the model has it, and a plan over such services.
import { planAction, type ActionPlan, type PlanInput } from '../../../agent/actions/plan.ts'
import type { ServiceModel } from '../../../agent/compose/service-model.ts'
import { aContainer } from './a-container.ts'

export const aService = (name: string, tweak: Partial<ServiceModel> = {}): ServiceModel => ({
  name,
  dependsOn: [],
  waitsFor: [],
  restartsAfter: [],
  sharesWith: [],
  linksTo: [],
  scale: 1,
  containerName: undefined,
  image: 'x',
  refreshes: false,
  definition: `definition of ${name}`,
  ports: [],
  openPorts: [],
  envFiles: [],
  variables: [],
  ...tweak,
})

/** `a` and `b`, of which `a` sees a secret. */
export const aPlan = (tweak: Partial<PlanInput>): ActionPlan =>
  planAction({
    services: [aService('a'), aService('b')],
    wanted: new Map([['a', 'new']]),
    containers: [aContainer('a', 'new'), aContainer('b', '')],
    deployed: ['a', 'b'],
    diverging: [],
    edited: undefined,
    doubtful: [],
    inSteps: false,
    stopped: new Set(),
    unproven: [],
    nowMs: 1_000_000,
    ...tweak,
  })
