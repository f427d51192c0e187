// scan: whether values of our own secrets lie in a tree, in commits, in Compose files, and whether they are still in use.
import { openClient } from '../connect/client.ts'
import { isReadOnce, readOnceRemedy } from '../../src/databases/read-once.ts'
import { realClock, toTimestamp } from '../../src/kernel/clock.ts'
import { CliError, Exit } from '../errors.ts'
import { newCommand, newLocalCommand, type Command, type CommonFlags } from '../options.ts'
import { note, oneLine, out } from '../print.ts'
import { findingsCommand, fixCommand } from '../scan/fix.ts'
import { projectsOf, scanFor, type Finding } from '../scan/findings.ts'
import { applyIgnores, ignoresFile, readIgnores } from '../scan/ignores.ts'
import { reportFindings, repositoryName, toSarif } from '../scan/report.ts'
import { openSource, type SourceFlags } from '../scan/sources.ts'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { hooksFolder } from '../scan/git.ts'

interface Flags extends Omit<CommonFlags, 'output'>, SourceFlags {
  readonly project?: string
  readonly report?: boolean
  readonly repository?: string
  readonly output?: 'text' | 'json' | 'sarif'
}

export const command = (): Command =>
  newCommand(
    'scan',
    'Find values of your secrets in files and commits, by fingerprints: no value leaves the controller. Exits with 1 where a value that is not revoked was found.',
    [
      'stagely scan',
      'stagely scan --staged',
      'stagely scan --range origin/main..HEAD -o sarif > stagely.sarif',
      'stagely scan --compose /srv/shop',
      'docker logs shop-web-1 2>&1 | stagely scan --stdin',
      'stagely scan --report',
      'stagely scan findings',
      'stagely scan install-hook',
    ],
  )
    .argument('[folder]', 'where; else here')
    .option('-p, --project <name>', 'only values of this project; else of all of the namespace')
    .option('--staged', 'what is staged for the next commit')
    .option('--range <commits>', 'what these commits have added, such as origin/main..HEAD')
    .option('--compose', 'the Compose files of the folder, .env and every env_file')
    .option('--stdin', 'standard input')
    .choice('-o, --output <format>', 'how to print', ['text', 'json', 'sarif'])
    .option(
      '--report',
      'tell the controller where: the secrets say RotationDue until they are changed',
    )
    .option('--repository <name>', 'its name in reports; else that of the remote origin')
    // Flags after the name of a command are those of the command.
    .enablePositionalOptions()
    .action((folder: string | undefined, flags: Flags) => scanFolder(folder ?? '.', flags))
    .addCommand(hookCommand())
    .addCommand(findingsCommand())
    .addCommand(fixCommand())

const hookCommand = (): Command =>
  newLocalCommand('install-hook', 'Scan what is staged before each commit of a repository.', [
    'stagely scan install-hook',
    'stagely scan install-hook /srv/shop',
  ])
    .argument('[repository]', 'folder; else here')
    .action(async (repository: string | undefined) => {
      out(`installed ${await installHook(repository ?? '.')}`)
    })

const scanFolder = async (folder: string, flags: Flags): Promise<void> => {
  const { staged, range, compose, stdin } = flags
  const ignores = await readIgnores(stdin === true ? '.' : folder)
  const source = await openSource(
    folder,
    {
      ...(staged && { staged }),
      ...(range !== undefined && { range }),
      ...(compose && { compose }),
      ...(stdin && { stdin }),
    },
    note,
  )
  const { rest } = await openClient(flags)
  const all = await scanFor(rest, await projectsOf(rest, flags.project), source, (unread) =>
    note(oneLine(`not scanned: ${unread}`)),
  )
  const { kept, told } = applyIgnores(all, ignores, toTimestamp(realClock.now()).slice(0, 10))
  for (const line of told) note(oneLine(`${ignoresFile}: an entry ${line}`))
  show(kept, flags.output)
  if (flags.report === true && kept.length > 0)
    await reportFindings(rest, flags.repository ?? (await repositoryName(folder)), kept)
  if (kept.some(isLive)) throw new Exit(1)
}

const isLive = ({ state }: Finding): boolean => state === 'current' || state === 'superseded'

const show = (findings: readonly Finding[], output: Flags['output'] = 'text'): void => {
  if (output === 'json') out(JSON.stringify(findings, null, 4))
  else if (output === 'sarif') out(JSON.stringify(toSarif(findings), null, 2))
  else if (findings.length === 0) note('No value of a secret was found.')
  else for (const finding of findings) out(oneLine(textOf(finding)))
}

const textOf = (finding: Finding): string => {
  const { commit, path, line, project, key, scope, version, state, since, services } = finding
  const where = commit === undefined ? '' : `${commit.slice(0, 12)} `
  const head = `${where}${path}:${line}  ${key} (${project}, ${scope})`
  const seen = services.length === 0 ? '' : `, seen by ${services.join(', ')}`
  const change = isReadOnce(key)
    ? readOnceRemedy(key)
    : `stagely secrets set ${key} --project ${project} --scope ${scope}`
  switch (state) {
    case 'current':
      return `${head}  CURRENT, version ${version}${seen} → ${change}`
    case 'superseded':
      return `${head}  SUPERSEDED since ${since}, version ${version}: it may still be accepted → end it where it is from`
    case 'revoked':
      return `${head}  REVOKED ${since}, version ${version}: nothing to do`
    case 'deleted':
      return `${head}  DELETED, version ${version} of a secret that is gone`
  }
}

const mark = '# Made by "stagely scan install-hook".'
const content = `#!/bin/sh\n${mark}\nexec stagely scan --staged\n`

/** The path of the hook. CliError where another hook is there. */
const installHook = async (folder: string): Promise<string> => {
  const hooks = resolve(folder, await hooksFolder(folder))
  const path = join(hooks, 'pre-commit')
  const before = await readFile(path, 'utf8').catch(() => undefined)
  if (before?.includes(mark) === false)
    throw new CliError(
      `${path} is another hook: add the line "stagely scan --staged || exit 1" to it`,
    )
  await mkdir(hooks, { recursive: true })
  await writeFile(path, content)
  await chmod(path, 0o755)
  return path
}
