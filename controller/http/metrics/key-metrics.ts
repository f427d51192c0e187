// The age of keys, for alerts on overdue rotations.
import { Gauge, type Registry } from 'prom-client'
import type { Clock } from '../../../src/kernel/clock.ts'
import type { KeyStore } from '../../../src/store/keys/key-store.ts'

export const addKeyMetrics = (registry: Registry, keys: KeyStore, clock: Clock): void => {
  new Gauge({
    name: 'stagely_key_age_seconds',
    help: 'Age of the master key, the oldest data key in use, the sealing key, and each key that projects name (by its name, as key).',
    labelNames: ['kind', 'key'],
    registers: [registry],
    async collect() {
      // A scrape must not fail with the database: the age is then left out.
      const ages = await keys.ages().catch(() => undefined)
      this.reset()
      const set = (labels: { kind: string; key?: string }, since: number | undefined): void => {
        if (since !== undefined) this.set(labels, Math.max(0, (clock.now() - since) / 1000))
      }
      set({ kind: 'master' }, ages?.masterSince)
      set({ kind: 'data' }, ages?.oldestDataKey)
      set({ kind: 'sealing' }, ages?.sealingSince)
      for (const [key, since] of ages?.named ?? []) set({ kind: 'project', key }, since)
    },
  })
}
