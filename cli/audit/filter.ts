// Flags that select audit rows.
import { toInstant } from './time.ts'
import type { Command, CommonFlags } from '../options.ts'

export interface FilterFlags extends CommonFlags {
  readonly by?: string
  readonly action?: string
  readonly kind?: string
  readonly name?: string
  readonly result?: string
  readonly request?: string
  readonly since?: string
  readonly until?: string
}

export const filterOptions = (command: Command): Command =>
  command
    .option('--by <person>', 'only rows of this person: name or id')
    .option(
      '--action <action>',
      'only this action: create, update, delete, reveal, deliver, deny, …',
    )
    .option('--kind <kind>', 'only objects of this kind: StagelySecret, Stagelet, User, …')
    .option('--name <name>', 'only the object of this name')
    .choice('--result <result>', 'only this result', ['success', 'denied'])
    .option('--request <id>', 'only the request with this id')
    .option(
      '--since <time>',
      'since this time: 2026-01-31, 2026-01-31T10:00:00Z, or 24h for a day ago',
      toInstant,
    )
    .option('--until <time>', 'until this time', toInstant)

export const filterQuery = (flags: FilterFlags): Record<string, string | undefined> => ({
  by: flags.by,
  action: flags.action,
  kind: flags.kind,
  namespace: flags.namespace,
  name: flags.name,
  result: flags.result,
  request_id: flags.request,
  since: flags.since,
  until: flags.until,
})
