// search: finds objects of all one's teams by their names.
import { openClient } from '../connect/client.ts'
import type { SearchResult } from '../../src/generated/rest-types.ts'
import { InvalidArgumentError } from 'commander'
import { newCommand, type Command, type CommonFlags } from '../options.ts'
import { fields, printRecords, type RecordView } from '../output/records.ts'

const view: RecordView<SearchResult> = {
  columns: [
    { header: 'KIND', cell: ({ kind }) => kind },
    { header: 'NAMESPACE', cell: ({ team }) => team },
    { header: 'PROJECT', cell: ({ kind, name, project }) => (kind === 'project' ? name : project) },
    ...fields<SearchResult>('name', 'key', 'scope'),
    { header: 'ID', cell: ({ id }) => id, wide: true },
  ],
  nameOf: ({ kind, name }) => `${kind}/${name}`,
  empty: 'Nothing found.',
}

const parseLimit = (text: string): number => {
  const limit = Number(text)
  if (!Number.isInteger(limit) || limit < 1 || limit > 100)
    throw new InvalidArgumentError('use a number from 1 to 100.')
  return limit
}

export const command = (): Command =>
  newCommand(
    'search -o',
    'Find projects, stagelets, agents and secrets of all your teams by their names. Every word must be in a name, a key, a scope, the project or the team. Values are not searched.',
    ['stagely search stripe', 'stagely search shop db_url -o wide'],
  )
    .argument('<word...>', 'what to look for')
    .option('--limit <number>', 'how many at most (default: 20)', parseLimit)
    .action(async (words: string[], { limit, ...flags }: CommonFlags & { limit?: number }) => {
      const { rest } = await openClient(flags)
      const query = { q: words.join(' '), limit: limit?.toString() }
      const { body } = await rest.call<{ results: SearchResult[] }>('/search', { query })
      await printRecords(body.results, view, flags.output)
    })
