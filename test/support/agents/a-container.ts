import type { ObservedContainer } from '../../../agent/observed/container.ts'

/** A container that runs, but for what `tweak` says. */
export const aContainer = (
  service: string,
  digest: string,
  tweak: Partial<ObservedContainer> = {},
): ObservedContainer => ({
  id: `id-${service}`,
  name: `p-${service}-1`,
  service,
  digest,
  state: 'running',
  health: undefined,
  healthOutput: '',
  exitCode: 0,
  error: '',
  restartCount: 0,
  restartPolicy: 'no',
  startedAt: '2026-01-01T00:00:00Z',
  createdAtMs: 0,
  healthBudgetMs: undefined,
  replaces: undefined,
  ...tweak,
})
