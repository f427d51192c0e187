// leak-test: which secrets the containers of a stagelet have printed. The agent counts on its machine;
// no line of a log is sent.
import { InvalidArgumentError, type Command } from 'commander'
import { realClock } from '../../src/kernel/clock.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import { CliError, Exit } from '../errors.ts'
import { kindOf, nameOf } from '../objects/kinds.ts'
import { newCommand, outputOption, type CommonFlags } from '../options.ts'
import { toYaml } from '../output/output.ts'
import { hanging, note, oneLine, out } from '../print.ts'
import { printRecords, type RecordView } from '../output/records.ts'
import { openRest, type Rest } from '../connect/rest.ts'

interface Flags extends CommonFlags {
  readonly tail?: number
}

interface ServiceCounts {
  readonly name: string
  readonly lines: number
  readonly hits: readonly { readonly key: string; readonly count: number }[]
  readonly unmaskable: readonly string[]
  readonly fault?: string
}

interface LeakTest {
  readonly id: string
  readonly state: 'waiting' | 'running' | 'done' | 'agent_away' | 'agent_too_old' | 'failed'
  readonly message?: string
  readonly lines: number
  readonly complete?: boolean
  readonly services: readonly ServiceCounts[]
}

const pollMs = 500
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
    'leak-test',
    'Count which secrets the containers of a stagelet have printed. The agent counts on its machine, and no line leaves it. Exit code 3 when something was printed.',
    ['stagely leak-test shop', 'stagely leak-test shop --tail 100000 -o json'],
  )
    .argument('<stagelet>', 'name of the stagelet')
    .option('--tail <lines>', 'last lines of each container (default: 10000)', parseTail)
    .addOption(outputOption())
    .action(async (word: string, { tail, ...flags }: Flags) => {
      const stagelet = nameOf(kindOf('Stagelet'), word)
      const rest = await openRest(flags)
      const path = `/stagelets/${encodeURIComponent(`${rest.namespace}/${stagelet}`)}/leak-tests`
      const body = tail === undefined ? {} : { tail }
      const started = await rest.call<LeakTest>(path, { method: 'POST', body }).catch(usage)
      const test = await waitForEnd(rest, path, started.body)
      if (test.state !== 'done')
        throw new CliError(hanging(test.message ?? `the test is ${test.state}`))
      show(test, flags.output)
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

const waitForEnd = async (rest: Rest, path: string, first: LeakTest): Promise<LeakTest> => {
  let test = first
  let told = ''
  while (test.state === 'waiting' || test.state === 'running') {
    const standing =
      test.state === 'waiting' ? 'waiting for the agent …' : `${test.lines} lines counted …`
    if (standing !== told) note(standing)
    told = standing
    await realClock.sleep(pollMs)
    test = (await rest.call<LeakTest>(`${path}/${test.id}`)).body
  }
  return test
}

const show = (test: LeakTest, output: string | undefined): void => {
  if (output === 'json' || output === 'yaml') {
    out(output === 'json' ? JSON.stringify(test, null, 4) : toYaml(test))
    return
  }
  printRecords(test.services, view, output)
  if (output === 'name') return
  const hits = test.services.flatMap((service) => service.hits)
  const count = hits.reduce((sum, hit) => sum + hit.count, 0)
  out(`${count} hits in ${test.lines} lines`)
  for (const { name, fault } of test.services)
    if (fault !== undefined) note(oneLine(`service ${name}: ${fault}`))
  if (test.complete === false)
    note('the test ended early, after 60 s or 256 MiB: not all lines were read; give --tail')
}
