// where --logs: which secrets the containers of a stagelet have printed. The agent counts on its machine; no line of a log
// is sent.
import { openClient } from '../connect/client.ts'
import type { Printed } from '../../src/generated/rest-types.ts'
import { post, stageletPath } from '../connect/rest.ts'
import { Exit } from '../errors.ts'
import { nameOf, servedKind } from '../output/kinds.ts'
import type { CommonFlags } from '../options.ts'
import { printAs } from '../output/output.ts'
import { printRecords, type RecordView } from '../output/records.ts'
import { note, oneLine, out, withProgress } from '../print.ts'

type PrintedService = Printed['services'][number]

/** Something was printed. 1: it is not known whether. */
const hitsExit = 3

const view: RecordView<PrintedService> = {
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

export const countPrinted = async (
  word: string,
  tail: number | undefined,
  flags: CommonFlags,
): Promise<void> => {
  const stagelet = nameOf(servedKind('Stagelet'), word)
  const { rest } = await openClient(flags)
  const path = `${stageletPath(rest.namespace, stagelet)}/printed`
  const body = tail === undefined ? {} : { tail }
  const printed = await withProgress('counting on the machine', post<Printed>(rest, path, body))
  await show(printed, flags.output)
  const { services, complete } = printed
  if (services.some(({ hits }) => hits.length > 0)) throw new Exit(hitsExit)
  if (!complete || services.some(({ fault }) => fault !== undefined)) throw new Exit(1)
}

const show = async (printed: Printed, output: CommonFlags['output']): Promise<void> => {
  if (output === 'json' || output === 'yaml') {
    await printAs(printed, output, () => '')
    return
  }
  const { services, lines, complete } = printed
  await printRecords(services, view, output)
  if (output === 'name') return
  const hits = services.flatMap((service) => service.hits)
  const count = hits.reduce((sum, hit) => sum + hit.count, 0)
  out(`${count} hits in ${lines} lines`)
  for (const { name, fault } of services)
    if (fault !== undefined) note(oneLine(`service ${name}: ${fault}`))
  if (!complete)
    note('the count ended early, after 20 s or 256 MiB: not all lines were read; give --tail')
}
