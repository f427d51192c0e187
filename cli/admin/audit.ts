// audit: who did what, what a person has read, and the proof that no row was changed.
import { openClient } from '../connect/client.ts'
import type { Erasure, ReadSecret } from '../../src/generated/rest-types.ts'
import { open } from 'node:fs/promises'
import { Option } from 'commander'
import type { AuditRecord } from '../../src/audit/record.ts'
import { readHeadFile, verifyLines } from '../audit/signed-file.ts'
import { recordView, revealedView } from '../audit/views.ts'
import { CliError, Exit, cannot } from '../errors.ts'
import { parseLimit, takeFirst } from '../connect/rest.ts'
import { newCommand, newGroup, toInstant, type Command, type CommonFlags } from '../options.ts'
import { note, out, outStream } from '../print.ts'
import { confirm } from '../prompt.ts'
import { printRecord, printRecords } from '../output/records.ts'

export const command = (): Command =>
  newGroup('audit', 'Show who did what, and verify that the log is complete.', [
    'stagely admin audit list --since 24h',
    'stagely admin audit export > audit.jsonl',
    'stagely admin audit verify audit.jsonl --head audit.head',
    'stagely admin audit revealed --by alice',
  ]).having(list, exportLog, verify, head, revealed, erase)

const list = (): Command =>
  filterOptions(
    newCommand(
      'list -o',
      'List the rows of the audit log, newest first, of every team that you may audit.',
      [
        'stagely admin audit list --since 24h',
        'stagely admin audit list --by alice --action reveal -o wide',
        'stagely admin audit list -n shop --kind StagelySecret --name stripe-secret-key.backend',
        'stagely admin audit list --result denied --since 2026-01-01 --until 2026-02-01 -o json',
      ],
    ),
  )
    .option('--limit <rows>', 'how many at most', parseLimit, 100)
    .action(async (flags: FilterFlags & { limit: number }) => {
      const { rest } = await openClient(flags)
      const { limit, output } = flags
      const query = filterQuery(flags)
      const items: AuditRecord[] = []
      const isCut = await takeFirst(rest, { path: '/audit', list: 'rows', query, limit }, items)
      await printRecords(items, recordView, output)
      if (isCut) note(`There are more rows: raise --limit (now ${limit}).`)
    })

const exportLog = (): Command =>
  filterOptions(
    newCommand('export', 'Print the log as JSON lines, with the signed head last.', [
      'stagely admin audit export > audit.jsonl',
      'stagely admin audit export --after 1041 > since-last-time.jsonl',
      'stagely admin audit export -n shop --action reveal | stagely admin audit verify -',
    ]),
  )
    .option(
      '--after <row>',
      'only what comes after this row, such as the head of an earlier export',
    )
    .action(async (flags: FilterFlags & { after?: string }) => {
      const { rest } = await openClient(flags)
      const query = { ...filterQuery(flags), after: flags.after }
      const stream = await rest.stream('/audit/export', { query })
      await outStream(stream as AsyncIterable<Buffer>)
    })

interface VerifyFlags extends CommonFlags {
  readonly head?: readonly string[]
  readonly key?: string
  readonly after?: number
}

const verify = (): Command =>
  newCommand(
    'verify',
    'Verify the log: find the first row that was changed, removed, inserted or cut off. Reads an export, or the log of the controller.',
    [
      'stagely admin audit verify',
      'stagely admin audit verify audit.jsonl --head audit.head',
      'stagely admin audit verify audit.jsonl --key "$(jq -r .public_key audit.head)"',
      'stagely admin audit export | stagely admin audit verify -',
      'stagely admin audit export --after 1041 | stagely admin audit verify - --after 1041',
    ],
  )
    .argument('[file]', 'an export, or - for stdin; without it the log of the controller')
    .addOption(
      new Option(
        '--head <file>',
        'a signed head that was saved earlier ("stagely admin audit head", the last line of an export): shows rows that were cut off since; may be given again',
      ).argParser((file: string, previous: string[] | undefined) => [...(previous ?? []), file]),
    )
    .option('--key <key>', 'public key that must have signed; else that of --head')
    .option(
      '--after <row>',
      'for an export with --after: the rows up to this one are not in the file',
      parseRow,
    )
    .action(async (file: string | undefined, flags: VerifyFlags) => {
      const savedHeads = await Promise.all((flags.head ?? []).map(readHeadFile))
      const options = { known: savedHeads, publicKey: flags.key, after: flags.after }
      const verdict = await verifyLines(await openLines(file, flags), options)
      if (!verdict.ok) {
        note(`The audit log is NOT as it was written: ${verdict.fault.message}.`)
        throw new Exit(1)
      }
      const { rows, hidden, head: end, pruned } = verdict
      const others =
        hidden === 0 ? '' : ` (${hidden} of them you may not read: only their hashes were checked)`
      out(`${rows} rows${others} are as they were written, up to row ${end.seq}.`)
      if (pruned !== undefined) {
        const when = pruned.at === undefined ? '' : ` at ${pruned.at}`
        out(
          `Rows 1 to ${pruned.upTo} were pruned${when} for their age; the controller signed that.`,
        )
      }
      if (flags.after !== undefined) out(`Rows up to ${flags.after} were not checked.`)
      out(`Signed with the key ${end.public_key}.`)
      if (savedHeads.length === 0 && flags.key === undefined) {
        note(
          'Without --head, rows that were cut off at the end and a replaced key are not noticed: give a head that you have saved.',
        )
      }
    })

const openLines = async (
  file: string | undefined,
  flags: VerifyFlags,
): Promise<NodeJS.ReadableStream> => {
  if (file === '-') return process.stdin
  if (file !== undefined) return (await open(file).catch(cannot(`read ${file}`))).createReadStream()
  const query = { after: flags.after === undefined ? undefined : String(flags.after) }
  return (await openClient(flags)).rest.stream('/audit/export', { query })
}

const head = (): Command =>
  newCommand(
    'head',
    'Print the signed head of the log. Save it where nobody who can write to the database can change it.',
    ['stagely admin audit head > audit.head'],
  ).action(async (flags: CommonFlags) => {
    const { rest } = await openClient(flags)
    out(JSON.stringify((await rest.call('/audit/head')).body))
  })

const revealed = (): Command =>
  newCommand(
    'revealed -o',
    'List the secrets whose values a person has read, to rotate them when the person leaves.',
    [
      'stagely admin audit revealed --by alice',
      'stagely admin audit revealed --by alice --current -o json',
    ],
  )
    .requiredOption('--by <person>', 'name or id')
    .option('--current', 'only secrets whose current value the person has read')
    .action(async (flags: CommonFlags & { by: string; current?: boolean }) => {
      const { rest } = await openClient(flags)
      const query = { by: flags.by, namespace: flags.namespace }
      const read = await rest.list<ReadSecret>('/audit/revealed', 'secrets', query)
      const shown = read.filter((s) => flags.current !== true || s.knows_current)
      await printRecords(shown, revealedView, flags.output)
      const inUse = shown.filter((s) => s.knows_current).length
      if (flags.output === undefined && inUse > 0)
        note(`${inUse} to rotate: their values are in use.`)
    })

const erase = (): Command =>
  newCommand(
    'erase -o',
    'Replace the name of a person by a pseudonym in the whole log, for good. The log can still be verified.',
    ['stagely admin audit erase alice --dry-run', 'stagely admin audit erase alice --yes'],
  )
    .asking()
    .argument('<person>', 'name or id')
    .option('--dry-run', 'only count the rows that name the person')
    .action(async (person: string, flags: CommonFlags & { dryRun?: boolean; yes?: boolean }) => {
      if (flags.dryRun !== true)
        await confirm(
          {
            question: `Put a pseudonym in place of ${person} in the whole log, for good?`,
            details: ['Nothing brings the name back; --dry-run says how many rows hold it.'],
          },
          flags.yes,
        )
      const { rest } = await openClient(flags)
      const body = { person, dry_run: flags.dryRun === true }
      const { body: erased } = await rest.call<Erasure>('/audit/erasures', { method: 'POST', body })
      const view = {
        columns: [
          { header: 'ROWS', cell: (e: Erasure) => e.rows },
          {
            header: 'PSEUDONYM',
            cell: (e: Erasure) => (flags.dryRun === true ? '(dry run)' : e.pseudonym),
          },
          { header: 'REMAINING', cell: (e: Erasure) => e.mentions },
        ],
        nameOf: (e: Erasure) => `erasure/${e.pseudonym}`,
        empty: '',
      }
      await printRecord(erased, view, flags.output)
    })

const parseRow = (text: string): number => {
  const row = Number(text)
  if (Number.isInteger(row) && row >= 0) return row
  throw new CliError('--after must be the number of a row', 2)
}

interface FilterFlags extends CommonFlags {
  readonly by?: string
  readonly action?: string
  readonly kind?: string
  readonly name?: string
  readonly result?: string
  readonly request?: string
  readonly since?: string
  readonly until?: string
}

const filterOptions = (command: Command): Command =>
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

const filterQuery = (flags: FilterFlags): Record<string, string | undefined> => ({
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
