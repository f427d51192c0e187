// secrets import: stores a file of secrets in a project. Shows a diff by names first; then writes one
// change set.
import { openClient } from '../connect/client.ts'
import { defined } from '../../src/kernel/defined.ts'
import { CliError, Exit, usageError } from '../errors.ts'
import { entryText, type Entry, type ParsedEntries } from '../formats/entries.ts'
import { parseSeedKey, parseSeedRows } from '../formats/seed-ciphertexts.ts'
import { type KubeApi } from '../connect/api.ts'
import { noteHeaders, type Command } from '../options.ts'
import { plainChange } from '../output/plain-value.ts'
import { checkFormat, printAs } from '../output/output.ts'
import { note } from '../print.ts'
import { confirm } from '../prompt.ts'
import { renderWidened } from '../apply/reach.ts'
import { renderAffected } from '../apply/review.ts'
import { servedKind } from '../output/kinds.ts'
import { getIfThere } from '../objects/objects.ts'
import { stageletsOfProject } from '../wait/wait-in-sync.ts'
import { secretCommand } from '../objects/secret-flags.ts'
import { reachedIn, reachOfGlobal } from './import-reach.ts'
import { importFromStore, type StoreImportFlags } from './import-store.ts'
import {
  chosenProject,
  identityOf,
  placeText,
  readStoredSecrets,
  type SecretIdentity,
} from '../objects/secret-identity.ts'
import { planImportOfFile, type FileImportPlan, type ImportItem } from './plan-import.ts'
import { readValueFile } from './values.ts'
import { importBatches, writeBatches } from './write-import.ts'
import { kindsOfLines, staysInFile } from '../../src/secrets/managed-values.ts'
import { isForAll, placeAlone } from '../../src/secrets/place.ts'
import { dotenvEntries } from '../formats/dotenv.ts'
import { jsonEntries, yamlEntries } from '../formats/structured.ts'

interface ImportFlags extends StoreImportFlags {
  readonly format?: string
  readonly all?: boolean
  readonly plain?: boolean
  readonly seedCiphertexts?: string
  readonly keyFile?: string
}

export const importCommand = (): Command =>
  secretCommand(
    'import -o -m',
    'Import a file of secrets: shows a diff by names, asks, and writes one change set.',
    [
      'stagely secrets import .env --project shop --scope backend',
      'stagely secrets import secrets.yaml --project shop --dry-run',
      'stagely secrets import --seed-ciphertexts rows.json --key-file old.key --project shop',
      'stagely secrets import --store prod-aws --prefix prod/shop/ --project shop --dry-run',
      'decrypt secrets.enc | stagely secrets import - --format json --project shop --yes',
    ],
  )
    .argument('[file]', 'file, or - for stdin')
    .option('--format <format>', 'dotenv, json or yaml; by the name of the file when absent')
    .option(
      '--all',
      'also lines of a .env that configure Compose (COMPOSE_…, …_TAG, …_PORT) or look like no secret',
    )
    .option('--no-plain', 'mask all lines of a .env, also those that look like no secret')
    .option(
      '--seed-ciphertexts <file>',
      'JSON rows of the first Stagely’s secrets table, still sealed',
    )
    .option('--key-file <file>', 'with --seed-ciphertexts: the key that they were sealed with')
    .option('--store <name>', 'in place of a file: keys of this SecretStore, as manifests')
    .option('--prefix <text>', 'with --store: keys that begin with this, such as prod/shop/')
    .option('--dry-run', 'show the diff and change nothing')
    .option('-y, --yes', 'do not ask')
    .action(importSecrets)

/** The format and the file, from the argument or from --seed-ciphertexts. */
const sourceOf = async (
  given: string | undefined,
  { format, seedCiphertexts, keyFile }: ImportFlags,
): Promise<{ file: string; isDotenv: boolean; read: (text: string) => ParsedEntries }> => {
  if (seedCiphertexts === undefined) {
    if (given === undefined) throw usageError('name the file to import, or - for stdin')
    if (keyFile !== undefined) throw usageError('--key-file goes with --seed-ciphertexts')
    const isDotenv = formatNamed(format, given) === 'dotenv'
    return { file: given, isDotenv, read: readerOf(format, given) }
  }
  if (given !== undefined || format !== undefined || keyFile === undefined) {
    throw usageError('--seed-ciphertexts goes with --key-file, and with no other file or format')
  }
  const key = parseSeedKey(await readValueFile(keyFile))
  return { file: seedCiphertexts, isDotenv: false, read: (text) => parseSeedRows(text, key) }
}

const importSecrets = async (given: string | undefined, flags: ImportFlags): Promise<void> => {
  if (flags.store !== undefined) {
    if (given !== undefined) throw usageError('give a file or --store, not both')
    return importFromStore(flags)
  }
  const { output } = flags
  checkFormat(output)
  const { file, isDotenv, read } = await sourceOf(given, flags)
  const shown = file === '-' ? 'stdin' : file
  const parsed = checked(read(sourceText(await readValueFile(file), shown)), shown)
  const { api, rest } = await openClient(flags)
  const project = await chosenProject(api, flags.project)
  const stored = await readStoredSecrets(api)
  const isStored = (key: string): boolean => stored.placesOf(project, key).length > 0
  const isPlaceSaid = flags.scope !== undefined || flags.all === true
  const takesPlain = flags.plain !== false
  const asked = { shown, isDotenv, isStored, isPlaceSaid, takesPlain }
  const entries = proposeEntries(parsed, asked)
  const place = identityOf(project, '', flags)
  const plan = await planImportOfFile(api, entries, { ...place, file: shown }, stored)
  await printAs(summaryOf(plan), output, () => renderPlan(plan))
  if (flags.scope === undefined) {
    const keys = globalKeys(plan, entries)
    for (const line of keys.length === 0 ? [] : await reachLines(api, place, keys)) note(line)
  }
  const pending = plan.items.filter(({ action }) => action !== 'unchanged')
  if (pending.length === 0) return
  const batches = importBatches(pending)
  if (batches.length > 1) {
    note(
      `${pending.length} secrets are more than one request takes: they go in ${batches.length} change sets, each rolled out by itself.`,
    )
  }
  if (flags.dryRun === true) return
  await confirm(
    { question: `Import ${pending.length} of ${plan.items.length} secrets?` },
    flags.yes,
  )
  const headers = noteHeaders(flags)
  await writeBatches({ api, rest, project, shown, headers }, batches)
  const how = batches.length === 1 ? 'one change set' : `${batches.length} change sets`
  note(`${pending.length} secrets imported into project ${project}, as ${how}.`)
}

const reachLines = async (
  api: KubeApi,
  place: SecretIdentity,
  keys: readonly string[],
): Promise<string[]> => {
  const { project } = place
  const owner = await getIfThere(api, servedKind('Project'), api.namespace, project)
  const stagelets = reachedIn(owner, await stageletsOfProject(api, project), place)
  return reachOfGlobal(keys, stagelets)
}

const sourceText = (bytes: Buffer, shown: string): string => {
  const text = entryText(bytes)
  if (text === undefined) throw new CliError(`${shown} is not UTF-8 text`)
  return text
}

const checked = ({ entries, faults }: ParsedEntries, shown: string): readonly Entry[] => {
  for (const { where, message } of faults) note(`${shown}: ${where}: ${message}`)
  if (faults.length > 0) throw new Exit(1)
  if (entries.length === 0) throw new CliError(`${shown} holds no secrets`)
  return entries
}

/** New variables for all services of which the file does not say that they are. */
const globalKeys = ({ items }: FileImportPlan, entries: readonly Entry[]): string[] => {
  const said = new Set(entries.filter(({ scope }) => scope !== undefined).map(({ key }) => key))
  return items
    .filter(
      ({ action, identity, input }) =>
        action === 'added' &&
        isForAll(identity) &&
        !said.has(identity.key) &&
        input['audience'] !== 'Controller' &&
        input['type'] !== 'file',
    )
    .map(({ identity }) => identity.key)
}

const label = ({ identity }: ImportItem): string => `${identity.key} (${placeText(identity)})`

const plainText = ({ action, plain }: ImportItem): string =>
  plainChange({ action: action === 'added' ? 'Create' : 'Update', ...defined({ plain }) })

/** Text for people. Names, and of values only plain ones. */
const renderPlan = ({ items, ...review }: FileImportPlan): string => {
  const of = (action: ImportItem['action']): string[] =>
    items
      .filter((item) => item.action === action)
      .map((item) => `${label(item)}${action === 'changed' ? '  changes' : ''}${plainText(item)}`)
  const unchanged = of('unchanged').length
  return [
    ...of('added').map((name) => `+ ${name}`),
    ...of('changed').map((name) => `~ ${name}`),
    ...(unchanged === 0 ? [] : [`= ${unchanged} unchanged`]),
    '',
    ...renderAffected(review),
    ...renderWidened(review.widened),
  ].join('\n')
}

const summaryOf = ({ items, ...reach }: FileImportPlan): object => {
  const of = (action: ImportItem['action']): object[] =>
    items
      .filter((item) => item.action === action)
      .map(({ name, identity }) => ({ name, key: identity.key, ...placeAlone(identity) }))
  const [added, changed, unchanged] = [of('added'), of('changed'), of('unchanged')]
  return { added, changed, unchanged, ...reach }
}

interface Proposing {
  /** Of the file, for messages. */
  readonly shown: string
  /** Only lines of a `.env` say nothing but a key and a value. */
  readonly isDotenv: boolean
  /** The project has the key. */
  readonly isStored: (key: string) => boolean
  /** A service is named, or all lines are wanted. */
  readonly isPlaceSaid: boolean
  /** What looks like no secret becomes plain. */
  readonly takesPlain: boolean
}

/** Says what stays in the file. CliError where nothing is left. */
const proposeEntries = (
  entries: readonly Entry[],
  { shown, isDotenv, isStored, isPlaceSaid, takesPlain }: Proposing,
): readonly Entry[] => {
  const texts = entries.map(({ key, value }) => ({ key, value: value && entryText(value) }))
  const lines = kindsOfLines(texts).map((kind, index) => ({
    entry: entries[index]!,
    kind: isDotenv || kind === 'Steers' ? kind : ('Secret' as const),
  }))
  const stays = lines.filter(
    ({ entry: { key, scope }, kind }) =>
      scope === undefined && staysInFile(kind, { isPlaceSaid, isStored: isStored(key) }),
  )
  const keysOf = (kind: string): string =>
    [...new Set(stays.filter((line) => line.kind === kind).map(({ entry }) => entry.key))].join(
      ', ',
    )
  const [steering, plain] = [keysOf('Steers'), keysOf('Plain')]
  const how = '--all takes them, --scope SERVICE gives all lines to one service.'
  if (steering !== '')
    note(
      `${shown}: left out, since they steer Compose and would go to every service: ${steering}. ${how}`,
    )
  if (plain !== '')
    note(`${shown}: left out, since they look like no secret and need none: ${plain}. ${how}`)
  const left = new Set(stays)
  const taken = lines.filter((line) => !left.has(line))
  if (taken.length === 0)
    throw new CliError(
      `${shown} holds no secrets of services; "--all" takes its lines all the same`,
    )
  return taken.map(({ entry, kind }) => ({
    ...entry,
    ...defined({
      isPlain: isDotenv && takesPlain && kind !== 'Secret' ? (true as const) : undefined,
    }),
  }))
}

const readers: Record<string, (text: string) => ParsedEntries> = {
  dotenv: dotenvEntries,
  json: jsonEntries,
  yaml: yamlEntries,
}

/** Chosen by --format, else by the file's name: .json, .yaml, and dotenv for all others. */
const formatNamed = (format: string | undefined, file: string): string => {
  const byName = /\.json$/i.test(file) ? 'json' : /\.ya?ml$/i.test(file) ? 'yaml' : 'dotenv'
  return format ?? byName
}

const readerOf = (format: string | undefined, file: string): ((text: string) => ParsedEntries) => {
  const reader = readers[formatNamed(format, file)]
  if (reader === undefined) {
    throw usageError(`--format ${format ?? ''} is not known; use dotenv, json or yaml`)
  }
  return reader
}
