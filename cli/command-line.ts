// The command line. Loads only the requested command, and returns the process's exit code: 0 success, 1
// failure, 2 wrong usage.
import type { Command } from 'commander'
import type { SupportFlags, MachinePart } from '../agent/machine/support.ts'
import { CliError, Exit, renderError } from './errors.ts'
import { wordsOfToday } from './former-words.ts'
import { endQuietlyWhenNobodyReads, note, wantProgress } from './print.ts'
import { runQuickly } from './quick.ts'

type Load = () => Promise<{ command: () => Command }>

/** The first words after `stagely`, in the order of the help. */
const commands: Readonly<Record<string, Load>> = {
  apply: () => import('./commands/apply.ts'),
  get: () => import('./commands/get.ts'),
  search: () => import('./commands/search.ts'),
  describe: () => import('./commands/describe.ts'),
  delete: () => import('./commands/delete.ts'),
  diff: () => import('./commands/diff.ts'),
  wait: () => import('./commands/wait.ts'),
  status: () => import('./commands/status.ts'),
  explain: () => import('./commands/explain.ts'),
  logs: () => import('./commands/logs.ts'),
  where: () => import('./commands/where.ts'),
  scan: () => import('./commands/scan.ts'),
  deploy: () => import('./commands/deploy.ts'),
  rollout: () => import('./commands/rollout.ts'),
  run: () => import('./commands/run.ts'),
  compose: () => import('./commands/compose.ts'),
  init: () => import('./commands/init.ts'),
  migrate: () => import('./commands/migrate.ts'),
  secrets: () => import('./commands/secrets.ts'),
  preview: () => import('./commands/preview.ts'),
  stores: () => import('./commands/stores.ts'),
  rotation: () => import('./commands/rotation.ts'),
  notifiers: () => import('./commands/notifiers.ts'),
  seal: () => import('./commands/seal.ts'),
  access: () => import('./commands/access.ts'),
  activity: () => import('./commands/activity.ts'),
  report: () => import('./commands/report.ts'),
  agent: () => import('./commands/agent.ts'),
  login: () => import('./commands/people/login.ts'),
  logout: () => import('./commands/people/logout.ts'),
  context: () => import('./commands/people/context.ts'),
  open: () => import('./commands/people/open.ts'),
  sessions: () => import('./commands/people/sessions.ts'),
  whoami: () => import('./commands/people/whoami.ts'),
  token: () => import('./commands/people/token.ts'),
  admin: async () => {
    const { command } = await import('./commands/admin.ts')
    const { defaultDataDir } = await import('../agent/machine/flags.ts')
    const parts = async (flags: SupportFlags): Promise<MachinePart[]> =>
      (await import('../agent/machine/support.ts')).machineParts(flags)
    return { command: () => command({ defaultDataDir, parts }) }
  },
  completion: () => import('./commands/completion.ts'),
  kubeconfig: () => import('./commands/kube/kubeconfig.ts'),
  'kube-token': () => import('./commands/kube/kube-token.ts'),
  mcp: () => import('./commands/mcp.ts'),
}

/** Every command, by the name on the command line. */
export const loadAll = (): Promise<Command[]> =>
  Promise.all(
    Object.entries(commands).map(async ([name, load]) => (await load()).command().name(name)),
  )

type Program = (argv: readonly string[]) => Promise<number>

/** Programs that run on the agent's machine and use no API. */
const agentPrograms: Readonly<Partial<Record<string, () => Promise<Program>>>> = {
  run: async () => (await import('../agent/main.ts')).runAgent,
  install: async () => (await import('../agent/machine/install.ts')).installAgent,
  doctor: async () => (await import('../agent/machine/doctor.ts')).runDoctor,
  uninstall: async () => (await import('../agent/machine/uninstall.ts')).uninstallAgent,
  leave: async () => (await import('../agent/machine/leave.ts')).leaveController,
}

/** Runs a program that parses its own flags; resolves when it has stopped. */
const runProgram = async (argv: readonly string[]): Promise<number | undefined> => {
  const { nameSourcesInStacks } = await import('../src/kernel/source-stacks.ts')
  nameSourcesInStacks()
  if (argv[0] === 'controller') {
    const { runController } = await import('../controller/main.ts')
    return await runController(argv.slice(1))
  }
  if (argv[0] === 'restore') {
    const { runController } = await import('../controller/main.ts')
    return await runController(argv)
  }
  const program = argv[0] === 'agent' ? agentPrograms[argv[1] ?? ''] : undefined
  return program === undefined ? undefined : await (await program())(argv.slice(2))
}

const newProgram = async (): Promise<Command> => {
  const { Command: Program } = await import('commander')
  const program = new Program('stagely')
    .description('Secrets for Docker Compose: declared state in, the right containers re-created.')
    .showHelpAfterError('(--help lists the commands)')
    .exitOverride()
    .addHelpText(
      'after',
      `
Each command has --help with examples. The controller is found by STAGELY_SERVER, STAGELY_TOKEN and
STAGELY_CA_FILE, or by what "stagely login" stored, or by KUBECONFIG. Its address, with /docs, has the documents.`,
    )
  program.command('controller').description('Run the controller.')
  program.command('restore').description('Read a backup into an empty database.')
  const { completionTable } = await import('./generated/completion-table.ts')
  for (const { path, summary } of completionTable)
    if (summary !== undefined) program.command(path).description(summary)
  return program
}

/** Makes usage errors of every nested command exceptions; by default Commander prints and exits. */
const throwOnExit = (command: Command): void => {
  command.exitOverride()
  for (const child of command.commands) throwOnExit(child)
}

const run = async (argv: readonly string[]): Promise<number> => {
  const [name = '', ...rest] = argv
  const today = wordsOfToday(argv)
  if (today !== undefined) {
    note(`"stagely ${today.was}" is "stagely ${today.now}" now`)
    return run(today.argv)
  }
  const isProgram =
    name === 'controller' ||
    name === 'restore' ||
    (name === 'agent' && Object.hasOwn(agentPrograms, rest[0] ?? ''))
  if (isProgram) {
    return (await runProgram(argv)) ?? 0
  }
  if (await runQuickly(argv)) return 0
  endQuietlyWhenNobodyReads()
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (load !== undefined) {
    const loaded = (await load()).command()
    loaded.name(`stagely ${name}`)
    throwOnExit(loaded)
    loaded.hook('preAction', (_, action) => {
      const { output } = action.opts<{ output?: string }>()
      wantProgress(output === undefined || output === 'wide')
    })
    await loaded.parseAsync(rest, { from: 'user' })
    return 0
  }
  // `stagely help apply` is `stagely apply --help`.
  if (name === 'help' && rest[0] !== undefined) {
    return run([rest[0], '--help'])
  }
  const program = await newProgram()
  await program.parseAsync(name === '' ? ['--help'] : [...argv], { from: 'user' })
  return 0
}

const exitCodeOf = (error: unknown): number => {
  if (error instanceof Exit || error instanceof CliError) return error.exitCode
  return 1
}

/** Runs the words after `stagely`; returns the exit code and never throws. */
export const runCommandLine = async (argv: readonly string[]): Promise<number> => {
  try {
    return await run(argv)
  } catch (error) {
    // Loaded where used: the controller and the agent need none of it.
    const { CommanderError } = await import('commander')
    // It has printed its own errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    // Exit means that everything is printed.
    if (!(error instanceof Exit)) note(renderError(error))
    return exitCodeOf(error)
  }
}
