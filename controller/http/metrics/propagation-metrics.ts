// The published time of propagation: how long a closed revision takes until it is proven in the containers of a stagelet.
import { Counter, Histogram, type Registry } from 'prom-client'
import { objectives, stageNames, sumOf } from '../../../src/rollout/propagation.ts'
import type { OnPropagated } from '../../reconcilers/stagelet/reconciler.ts'

export type { OnPropagated }

const seconds = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300]

/** Counts on the replica that leads, once the end is stored: a controller that begins anew counts nothing twice. */
export const createPropagationMetrics = (registry: Registry): OnPropagated => {
  const stages = new Histogram({
    name: 'stagely_propagation_seconds',
    help: 'Time of a closed revision in each stage until a stagelet is proven to run it: told (close to told), started (told to Compose), healthy (Compose to healthy), proven (healthy to proven). Without what was held back.',
    labelNames: ['project', 'stage'],
    buckets: seconds,
    registers: [registry],
  })
  const ends = new Counter({
    name: 'stagely_propagation_total',
    help: 'Closed revisions that came to their end on a stagelet: Proven, Failed, RolledBack, or what held them back.',
    labelNames: ['project', 'result'],
    registers: [registry],
  })
  const met = new Counter({
    name: 'stagely_propagation_objective_total',
    help: 'Proven revisions by objective: started within 1 s of the close; proven within 3 s after the service is healthy.',
    labelNames: ['project', 'objective', 'met'],
    registers: [registry],
  })
  return (project, { result, times }) => {
    ends.inc({ project, result })
    if (times === undefined) return
    for (const stage of stageNames) stages.observe({ project, stage }, times[`${stage}Ms`] / 1000)
    for (const { name, withinMs, stages: of } of objectives)
      met.inc({ project, objective: name, met: String(sumOf(times, of) <= withinMs) })
  }
}
