// activity: what happened in the last 90 days, in words.
import { openClient } from '../connect/client.ts'
import type { Happened } from '../../src/generated/rest-types.ts'
import { realClock, toFineTimestamp } from '../../src/kernel/clock.ts'
import { newCommand, toInstant, type Command, type CommonFlags } from '../options.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import { maySucceedLater, usageError } from '../errors.ts'
import { note, out } from '../print.ts'
import { printRecords, renderRecords, type RecordView } from '../output/records.ts'
import { parseLimit, takeFirst, type RestClient } from '../connect/rest.ts'

/** What it happened to. */
const subjectOf = ({ project, stagelet, agent }: Happened): string => {
  if (stagelet !== undefined) return `stagelet/${stagelet}`
  return agent === undefined ? `project/${project ?? ''}` : `agent/${agent}`
}

const withNote = ({ message, note: why }: Happened): string =>
  why === undefined ? message : `${message} ("${why.replaceAll('\n', ' / ')}")`

const view: RecordView<Happened> = {
  columns: [
    { header: 'TIME', cell: (a) => a.at.replace(/\.\d+Z$/, 'Z') },
    { header: 'TEAM', cell: (a) => a.team },
    { header: 'OBJECT', cell: subjectOf },
    { header: 'BY', cell: (a) => a.by.join(', ') },
    { header: 'MESSAGE', cell: withNote },
    { header: 'KIND', cell: (a) => a.kind, wide: true },
    { header: 'ID', cell: (a) => a.id, wide: true },
  ],
  nameOf: subjectOf,
  empty: 'Nothing happened.',
}

interface Flags extends CommonFlags {
  readonly project?: string
  readonly stagelet?: string
  readonly kind?: string
  readonly since?: string
  readonly limit: number
  readonly follow?: boolean
}

export const command = (): Command =>
  newCommand(
    'activity -o',
    'Show what happened in the last 90 days, newest first: changes, rollouts, drift and who did it by hand, agents, pauses.',
    [
      'stagely activity --since 24h',
      'stagely activity -n shop --stagelet prod-eu --kind drift',
      'stagely activity --project shop --follow',
      'stagely activity --since 2026-01-31 -o json',
    ],
  )
    .option('--project <name>', 'only of this project')
    .option('--stagelet <name>', 'only of this stagelet')
    .choice('--kind <kind>', 'only of this kind', [
      ...['revision', 'rollout', 'drift', 'agent', 'control'],
    ])
    .option(
      '--since <time>',
      'since this time: 2026-01-31, 2026-01-31T10:00:00Z, or 24h for a day ago',
      toInstant,
    )
    .option('--limit <number>', 'how many at most', parseLimit, 100)
    .option('-f, --follow', 'keep printing new entries, the newest last')
    .action(activity)

const activity = async (flags: Flags): Promise<void> => {
  const { namespace: team, project, stagelet, kind, since, output, limit } = flags
  if (flags.follow === true && (output === 'yaml' || output === 'name'))
    throw usageError('--follow prints lines, or JSON lines with -o json')
  const { rest } = await openClient(flags)
  const query = { team, project, stagelet, kind, since }
  const items: Happened[] = []
  const isCut = await takeFirst(rest, { path: '/activity', list: 'activity', query, limit }, items)
  if (flags.follow === true) return follow(rest, query, { items, format: output })
  await printRecords(items, view, output)
  if (isCut) note(`There is more: raise --limit (now ${limit}).`)
}

const pollMs = 2_000
/** Replicas write with their own clocks, and a row may be seen after a later one. */
const overlapMs = 10_000

const follow = async (
  rest: RestClient,
  query: Readonly<Record<string, string | undefined>>,
  { items, format }: { readonly items: readonly Happened[]; readonly format: string | undefined },
): Promise<void> => {
  const print = (news: readonly Happened[]): void => {
    if (news.length === 0) return
    if (format === 'json') out(news.map((row) => JSON.stringify(row)).join('\n'))
    else out(linesOf(news, format === 'wide'))
  }
  const momentOf = ({ id, at }: Happened): string => `${id} ${at}`
  print([...items].reverse())
  let printed = new Set(items.map(momentOf))
  let newest = items[0]?.at ?? toFineTimestamp(realClock.now())
  let isLost = false
  const notAnswered = (error: unknown): undefined => {
    if (!maySucceedLater(error)) throw error
    if (!isLost) note(`${messageOf(error)}; asking again`)
  }
  for (;;) {
    await realClock.sleep(pollMs)
    const since = toFineTimestamp(Date.parse(newest) - overlapMs)
    const found = await rest
      .list<Happened>('/activity', 'activity', { ...query, since })
      .catch(notAnswered)
    isLost = found === undefined
    if (found === undefined) continue
    print(found.filter((row) => !printed.has(momentOf(row))).reverse())
    printed = new Set([...printed, ...found.map(momentOf)].slice(-1_000))
    newest = found[0]?.at ?? newest
  }
}

/** Rows without the names of the columns. */
const linesOf = (items: readonly Happened[], wide: boolean): string =>
  renderRecords(items, view, wide).split('\n').slice(1).join('\n')
