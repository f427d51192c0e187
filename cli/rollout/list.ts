// rollout list: the kept rollouts of a stagelet, of a project, or of all that one may see.
import { openClient } from '../connect/client.ts'
import type { KeptRollout } from '../../src/generated/rest-types.ts'
import { newCommand, type Command, type CommonFlags } from '../options.ts'
import { parseLimit, takeFirst } from '../connect/rest.ts'
import { note } from '../print.ts'
import { fields, printRecords, type RecordView } from '../output/records.ts'
import { findRolloutTarget } from './target.ts'

const tookOf = ({ started_at: from = '', finished_at: to = '' }: KeptRollout): string => {
  const ms = Date.parse(to) - Date.parse(from)
  return Number.isNaN(ms) ? '' : `${(Math.max(0, ms) / 1000).toFixed(1)}s`
}

const changedServices = ({ services }: KeptRollout): string =>
  services
    .filter(({ what }) => what !== 'untouched')
    .map(({ name, what }) => (what === 'recreated' ? name : `${name} (${what})`))
    .join(', ')

const blameOf = ({ blame }: KeptRollout): string => {
  if (blame === undefined) return ''
  const { service, keys, authors } = blame
  const values = keys.length === 0 ? '' : `: ${keys.join(', ')}`
  return service + values + (authors.length === 0 ? '' : ` by ${authors.join(', ')}`)
}

const view: RecordView<KeptRollout> = {
  columns: [
    { header: 'STARTED', cell: (r) => r.started_at?.replace(/\.\d+Z$/, 'Z') },
    { header: 'STAGELET', cell: (r) => `${r.team}/${r.stagelet}` },
    ...fields<KeptRollout>('revision', 'result'),
    { header: 'DURATION', cell: tookOf },
    { header: 'CAUSE', cell: (r) => r.cause },
    { header: 'BY', cell: (r) => r.by.join(', ') },
    { header: 'SERVICES', cell: changedServices },
    { header: 'FAILED ON', cell: blameOf },
    { header: 'ID', cell: (r) => r.id, wide: true },
  ],
  nameOf: (r) => `rollout/${r.id}`,
  empty: 'No rollouts yet.',
}

interface Flags extends CommonFlags {
  readonly state?: string
  readonly limit: number
}

export const rolloutListCommand = (): Command =>
  newCommand(
    'list -o',
    'List rollouts, newest first: which services each changed, how it ended, and whose values made it fail. The newest 50 of each stagelet are kept.',
    [
      'stagely rollout list',
      'stagely rollout list stagelet/prod-eu',
      'stagely rollout list shop --state Failed',
      'stagely rollout list stagelet/prod-eu -o json',
    ],
  )
    .argument('[target...]', 'a project, or KIND/NAME: project/shop, stagelet/shop; else all')
    .choice('--state <result>', 'only with this result', [
      ...['Progressing', 'Healthy', 'Failed', 'RolledBack', 'Superseded'],
    ])
    .option('--limit <number>', 'how many at most', parseLimit, 50)
    .action(list)

const list = async (words: string[], flags: Flags): Promise<void> => {
  const { api, rest } = await openClient(flags)
  const { state, limit, output } = flags
  const target = words.length === 0 ? undefined : await findRolloutTarget(api, words)
  const team = target === undefined ? flags.namespace : rest.namespace
  const id = encodeURIComponent(`${rest.namespace}/${target?.name ?? ''}`)
  const isOne = target?.kind === 'Stagelet'
  const path = isOne ? `/stagelets/${id}/rollouts` : '/rollouts'
  const query = isOne ? { state } : { team, project: target?.project, state }
  const items: KeptRollout[] = []
  const isCut = await takeFirst(rest, { path, list: 'rollouts', query, limit }, items)
  await printRecords(items, view, output)
  if (isCut) note(`There are more: raise --limit (now ${limit}).`)
}
