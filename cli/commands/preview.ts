// preview: stacks for a branch, made of the template of a project, which end by themselves.
import { openClient } from '../connect/client.ts'
import { realClock } from '../../src/kernel/clock.ts'
import type { Stagelet } from '../../src/generated/rest-types.ts'
import { stageletPath } from '../connect/rest.ts'
import { CliError } from '../errors.ts'
import { newGroup, parseLifetime, type Command } from '../options.ts'
import { printRecords } from '../output/records.ts'
import { note, out } from '../print.ts'
import { downCommand } from '../preview/down.ts'
import { nameOf, servedKind } from '../output/kinds.ts'
import {
  findIfThere,
  findPreview,
  listPreviews,
  previewCommand,
  type PreviewFlags,
} from '../preview/find.ts'
import { previewView, toPreview } from '../preview/preview.ts'
import { upCommand } from '../preview/up.ts'
import { logsOptions, showLogs, type LogsFlags } from '../logs.ts'
import { openBrowser } from '../open-browser.ts'

export const command = (): Command =>
  newGroup(
    'preview',
    'Stacks for a branch, which end by themselves. spec.preview of a project is their template.',
    ['stagely preview up pr-42 --from shop', 'stagely preview list', 'stagely preview down pr-42'],
  ).having(upCommand, listCommand, openCommand, logsCommand, extendCommand, downCommand)

const listCommand = (): Command =>
  previewCommand('list -o -A', 'List previews, with their state, address and end.', [
    'stagely preview list',
    'stagely preview list --from shop -o json',
  ]).action(async (flags: PreviewFlags) => {
    const found = await listPreviews((await openClient(flags)).rest, flags)
    await printRecords(found.map(toPreview), previewView(realClock.now()), flags.output)
  })

const openCommand = (): Command =>
  previewCommand('open', 'Open the address of a preview in a browser.', [
    'stagely preview open pr-42',
    'stagely preview open pr-42 --print',
  ])
    .argument('<name>', 'name of the preview')
    .option('--print', 'only print its addresses')
    .action(async (name: string, flags: PreviewFlags & { print?: boolean }) => {
      const { addresses = [], preview } = await findPreview(
        (await openClient(flags)).rest,
        name,
        flags,
      )
      const [first] = addresses
      if (first === undefined)
        throw new CliError(
          `preview ${preview ?? name} publishes no port, or does not run: "stagely preview list" shows its state; spec.preview.address of the project is for stacks behind a proxy`,
        )
      for (const address of addresses) out(address)
      if (flags.print !== true && !(await openBrowser(first))) note('No browser here.')
    })

const logsCommand = (): Command =>
  logsOptions(
    previewCommand('logs', 'Show the logs of a preview, with secrets hidden.', [
      'stagely preview logs pr-42',
      'stagely preview logs pr-42 -f --service web',
    ]).argument('<name>', 'name of the preview'),
  ).action(async (name: string, flags: PreviewFlags & LogsFlags) => {
    const { name: stagelet } = await findPreview((await openClient(flags)).rest, name, flags)
    await showLogs(stagelet, flags)
  })

const extendCommand = (): Command =>
  previewCommand(
    'extend',
    'Put off the end of a preview, or of another stagelet with spec.ttl. The end never comes nearer.',
    ['stagely preview extend pr-42', 'stagely preview extend pr-42 --for 48h'],
  )
    .argument('<name>', 'name of the preview, or of the stagelet')
    .option('--for <time>', 'how long it lives from now on; its ttl by default', parseLifetime)
    .action(async (name: string, flags: PreviewFlags & { for?: string }) => {
      const { rest } = await openClient(flags)
      const word = nameOf(servedKind('Stagelet'), name)
      const stagelet = (await findIfThere(rest, word, flags))?.name ?? word
      const body = flags.for === undefined ? {} : { for: flags.for }
      const path = `${stageletPath(rest.namespace, stagelet)}/extend`
      const { body: extended } = await rest.call<Stagelet>(path, { method: 'POST', body })
      out(`preview/${name} ends at ${extended.ends_at ?? ''}`)
    })
