// leak-test: which secrets the containers of a stagelet have printed. The agent counts on its machine;
// no line of a log is sent.
import type { LeakTest } from '../../src/rest/types.ts'
import { InvalidArgumentError } from 'commander'
import { StagelyError } from '../../src/kernel/errors.ts'
import { CliError, Exit } from '../errors.ts'
import { servedKind, nameOf } from '../objects/kinds.ts'
import { newCommand, type Command, type CommonFlags } from '../options.ts'
import { printAs } from '../output/output.ts'
import { hanging, note, oneLine, out } from '../print.ts'
import { printRecords, type RecordView } from '../output/records.ts'
import { pollUntilDone } from '../wait/poll.ts'
import { openRest, stageletPath, type RestClient } from '../connect/rest.ts'

interface Flags extends CommonFlags {
  readonly tail?: number
}

type ServiceCounts = LeakTest['services'][number]

/** Something was printed. 1 is a test that did not come to its end. */
const hitsExit = 3

const view: RecordView<ServiceCounts> = {
  columns: [
    { header: 'SERVICE', cell: ({ name }) => name },
    { header: 'LINES', cell: ({ lines }) => lines },
    {
      header: 'PRINTED',
      cell: ({ hits, fault }) =>
        hits.map(({ key, count }) => `${key} ${count}x`).join(', ') ||
        (fault === undefined ? '-' : '?'),
    },
    { header: 'CANNOT BE MASKED', cell: ({ unmaskable }) => unmaskable.join(', ') || '-' },
    { header: 'FAULT', cell: ({ fault }) => fault ?? '-', wide: true },
  ],
  nameOf: ({ name }) => `service/${name}`,
  empty: 'No containers found.',
}

const parseTail = (text: string): number => {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('use a number of lines.')
  return Number(text)
}

export const command = (): Command =>
  newCommand(
    'leak-test -o',
    'Count the secrets that the containers of a stagelet have printed. The agent counts on its machine, and no line leaves it. Exits with 3 when a secret was printed.',
    ['stagely leak-test shop', 'stagely leak-test shop --tail 100000 -o json'],
  )
    .argument('<stagelet>', 'name of the stagelet')
    .option('--tail <lines>', 'last lines of each container (default: 10000)', parseTail)
    .action(async (word: string, { tail, ...flags }: Flags) => {
      const stagelet = nameOf(servedKind('Stagelet'), word)
      const rest = await openRest(flags)
      const path = `${stageletPath(rest.namespace, stagelet)}/leak-tests`
      const body = tail === undefined ? {} : { tail }
      const started = await rest.call<LeakTest>(path, { method: 'POST', body }).catch(usage)
      const test = await waitForEnd(rest, path, started.body)
      if (test.state !== 'done')
        throw new CliError(hanging(test.message ?? `the test is ${test.state}`))
      await show(test, flags.output)
      if (test.services.some(({ hits }) => hits.length > 0)) throw new Exit(hitsExit)
      if (!isWhole(test)) throw new Exit(1)
    })

/** False where a hit may have been overlooked. */
const isWhole = ({ complete, services }: LeakTest): boolean =>
  complete === true && services.every(({ fault }) => fault === undefined)

const usage = (error: unknown): never => {
  if (error instanceof StagelyError && error.reason === 'Invalid')
    throw new CliError(error.message, 2)
  throw error
}

const waitForEnd = (rest: RestClient, path: string, started: LeakTest): Promise<LeakTest> =>
  pollUntilDone(started, {
    read: async () => (await rest.call<LeakTest>(`${path}/${started.id}`)).body,
    isDone: ({ state }) => state !== 'waiting' && state !== 'running',
    progress: ({ state, lines }) =>
      state === 'waiting' ? 'waiting for the agent …' : `${lines} lines counted …`,
    everyMs: 500,
  })

const show = async (test: LeakTest, output: CommonFlags['output']): Promise<void> => {
  if (output === 'json' || output === 'yaml') {
    await printAs(test, output, () => '')
    return
  }
  await printRecords(test.services, view, output)
  if (output === 'name') return
  const hits = test.services.flatMap((service) => service.hits)
  const count = hits.reduce((sum, hit) => sum + hit.count, 0)
  out(`${count} hits in ${test.lines} lines`)
  for (const { name, fault } of test.services)
    if (fault !== undefined) note(oneLine(`service ${name}: ${fault}`))
  if (test.complete === false)
    note('the test ended early, after 60 s or 256 MiB: not all lines were read; give --tail')
}
