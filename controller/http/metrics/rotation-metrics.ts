// Rotations: how they stand, and how long one takes from its start until the old credential is ended.
import { Gauge, Histogram, type Registry } from 'prom-client'
import { countedStates, type RotationMetrics } from '../../rotators/metrics.ts'

export const createRotationMetrics = (registry: Registry): RotationMetrics => {
  const took = new Histogram({
    name: 'stagely_rotation_seconds',
    help: 'Time from the start of a rotation until the old credential is ended.',
    buckets: [60, 120, 300, 600, 900, 1_800, 3_600, 14_400, 86_400, 604_800],
    registers: [registry],
  })
  const states = new Gauge({
    name: 'stagely_rotations',
    help: 'Rotations with a condition that needs somebody: failed, blocked, overdue; of the replica that leads.',
    labelNames: ['condition'],
    registers: [registry],
  })
  return {
    onRevoked: (ms) => took.observe(ms / 1000),
    onRotations: (counts) => {
      for (const name of countedStates) states.set({ condition: name }, counts[name])
    },
  }
}
