// How fresh stores of secrets elsewhere are, and what they cost in calls. Of the replica that leads.
import { Counter, Gauge, type Registry } from 'prom-client'
import type { MeasuredStore } from '../../stores/measured.ts'

export interface StoreMetrics {
  /** Called after each step of a store. */
  readonly onMeasured: (measured: MeasuredStore) => void
  /** Called when a store is gone, or another replica leads. */
  readonly onGone: (namespace: string, name: string) => void
}

const labelNames = ['namespace', 'store'] as const

export const createStoreMetrics = (registry: Registry): StoreMetrics => {
  const common = { labelNames, registers: [registry] }
  const stale = new Gauge({
    name: 'stagely_stores_stale',
    help: '1 for a store that was not looked at for longer than its staleAfter; of the replica that leads.',
    ...common,
  })
  const lag = new Gauge({
    name: 'stagely_stores_lag_seconds',
    help: 'How old the answers of a store may be, by its own word; of the replica that leads.',
    ...common,
  })
  const looked = new Gauge({
    name: 'stagely_stores_last_look_timestamp_seconds',
    help: 'When every secret of a store was looked at last; of the replica that leads.',
    ...common,
  })
  const calls = new Counter({
    name: 'stagely_stores_calls_total',
    help: 'Calls to a store; of the replica that leads.',
    ...common,
  })
  const foreignMessages = new Counter({
    name: 'stagely_stores_foreign_messages_total',
    help: 'Messages of the queue of a store (push.sqs) that were no notifications, and were deleted; of the replica that leads.',
    ...common,
  })
  const counted = new Map<string, { calls: number; foreignMessages: number }>()
  return {
    onMeasured: ({ namespace, name: store, isStale, lagMs, lookedAt, ...totals }) => {
      const labels = { namespace, store }
      stale.set(labels, isStale ? 1 : 0)
      lag.set(labels, lagMs / 1000)
      if (lookedAt !== undefined) looked.set(labels, lookedAt / 1000)
      const key = `${namespace}/${store}`
      const before = counted.get(key)
      calls.inc(labels, Math.max(0, totals.calls - (before?.calls ?? 0)))
      foreignMessages.inc(
        labels,
        Math.max(0, totals.foreignMessages - (before?.foreignMessages ?? 0)),
      )
      counted.set(key, totals)
    },
    onGone: (namespace, store) => {
      const labels = { namespace, store }
      for (const metric of [stale, lag, looked, calls, foreignMessages]) metric.remove(labels)
      counted.delete(`${namespace}/${store}`)
    },
  }
}
