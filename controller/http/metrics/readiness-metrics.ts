// For alerts of the controller's own state: the checks of /readyz, and the age of the newest backup.
import { Gauge, type Registry } from 'prom-client'
import { readinessOf, type HealthDeps } from '../health.ts'

/** `lastBackup`: in ms since the epoch. */
export const addReadinessMetrics = (
  registry: Registry,
  health: HealthDeps,
  lastBackup: () => Promise<number | undefined>,
): void => {
  new Gauge({
    name: 'stagely_ready',
    help: '1 where this check of /readyz passes, 0 where it fails or warns; /readyz?verbose says why. A check that was not made has no sample.',
    labelNames: ['check'],
    registers: [registry],
    async collect() {
      const checks = await readinessOf(health)
      this.reset()
      for (const { name, state } of checks)
        if (state !== 'not checked') this.set({ check: name }, state === 'ok' ? 1 : 0)
    },
  })
  new Gauge({
    name: 'stagely_backup_last_timestamp_seconds',
    help: 'When the newest backup was taken by "stagely admin backup"; 0 where there is none. The same on every replica.',
    registers: [registry],
    async collect() {
      try {
        this.set(((await lastBackup()) ?? 0) / 1000)
      } catch {
        // A scrape must not fail with the database: the time is then left out.
        this.remove()
      }
    },
  })
}
