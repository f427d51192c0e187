// The command line. Loads only the requested command, and returns the process's exit code: 0 success, 1
// failure, 2 wrong usage.
import type { Command } from 'commander'
import type { SupportFlags, MachinePart } from '../agent/machine/support.ts'
import { CliError, Exit, renderError } from './errors.ts'
import { endQuietlyWhenNobodyReads, note, out } from './print.ts'

interface Entry {
  readonly summary: string
  readonly load: () => Promise<{ command: () => Command }>
}

const commands: Record<string, Entry> = {
  apply: {
    summary: 'create or update everything in files, as one change set',
    load: () => import('./commands/apply.ts'),
  },
  get: { summary: 'show objects', load: () => import('./commands/get.ts') },
  search: {
    summary: 'find projects, stagelets, agents and secrets by name',
    load: () => import('./commands/search.ts'),
  },
  describe: {
    summary: 'show everything about objects',
    load: () => import('./commands/describe.ts'),
  },
  delete: {
    summary: 'delete objects and wait until they are gone',
    load: () => import('./commands/delete.ts'),
  },
  diff: {
    summary: 'show what an apply would change, and which services it would re-create',
    load: () => import('./commands/diff.ts'),
  },
  wait: { summary: 'wait until a condition holds', load: () => import('./commands/wait.ts') },
  status: {
    summary: 'one screen: what is not in sync, and every warning',
    load: () => import('./commands/status.ts'),
  },
  logs: {
    summary: 'show and follow the logs of a stagelet, secrets hidden',
    load: () => import('./commands/logs.ts'),
  },
  'leak-test': {
    summary: 'count which secrets a stagelet has printed; no line leaves its machine',
    load: () => import('./commands/leak-test.ts'),
  },
  deploy: {
    summary: 'roll out pending edits of compose files',
    load: () => import('./commands/deploy.ts'),
  },
  rollout: {
    summary: 'follow, pause, resume, undo and retry rollouts; their history',
    load: () => import('./commands/rollout.ts'),
  },
  run: {
    summary: 'run a local command with the secrets of a service',
    load: () => import('./commands/run.ts'),
  },
  compose: {
    summary: 'run Docker Compose by the agent of this machine, secrets kept',
    load: () => import('./commands/compose.ts'),
  },
  init: {
    summary: 'adopt an existing Compose project',
    load: () => import('./commands/init.ts'),
  },
  secrets: {
    summary: 'list and set secrets; their history, and the way back',
    load: () => import('./commands/secrets.ts'),
  },
  stores: {
    summary: 'stores of secrets elsewhere: how fresh they are, look now',
    load: () => import('./commands/stores.ts'),
  },
  rotation: {
    summary: 'credentials that are changed by themselves: show, run, pause, revoke',
    load: () => import('./commands/rotation.ts'),
  },
  notifiers: {
    summary: 'send a test message to whom the controller tells what happened',
    load: () => import('./commands/notifiers.ts'),
  },
  seal: {
    summary: 'seal a value for a manifest in Git',
    load: () => import('./commands/seal.ts'),
  },
  adopt: {
    summary: 'take objects over from a folder of manifests',
    load: () => import('./commands/adopt.ts'),
  },
  activity: {
    summary: 'what happened: changes, rollouts, drift, agents, pauses',
    load: () => import('./commands/activity.ts'),
  },
  slo: {
    summary: 'how fast changes come to containers, against what is promised',
    load: () => import('./commands/slo.ts'),
  },
  audit: {
    summary: 'who did what, what somebody has read, and proof that the log is whole',
    load: () => import('./commands/audit.ts'),
  },
  receipt: {
    summary: 'what the controller signs of a revision; and whether a receipt holds',
    load: () => import('./commands/receipt.ts'),
  },
  compliance: {
    summary:
      'how old keys and values of a project were, signed for auditors; and whether a report holds',
    load: () => import('./commands/compliance.ts'),
  },
  agent: {
    summary: 'run an agent; manage who may be one',
    load: () => import('./commands/agent.ts'),
  },
  keys: {
    summary: 'show and rotate keys',
    load: () => import('./commands/keys.ts'),
  },
  backup: {
    summary: 'take a backup of the controller',
    load: () => import('./commands/backup.ts'),
  },
  'support-bundle': {
    summary: 'collect what a maintainer needs, without secrets',
    load: async () => {
      const { command } = await import('./commands/support-bundle.ts')
      const { defaultDataDir } = await import('../agent/machine/flags.ts')
      const parts = async (flags: SupportFlags): Promise<MachinePart[]> =>
        (await import('../agent/machine/support.ts')).machineParts(flags)
      return { command: () => command({ defaultDataDir, parts }) }
    },
  },
  login: {
    summary: 'remember server, token and CA',
    load: () => import('./commands/login.ts'),
  },
  open: {
    summary: 'open the dashboard in a browser, logged in as you',
    load: () => import('./commands/open.ts'),
  },
  sessions: {
    summary: 'list and end the sessions of your browsers',
    load: () => import('./commands/sessions.ts'),
  },
  whoami: {
    summary: 'show who you are, and your roles',
    load: () => import('./commands/whoami.ts'),
  },
  token: { summary: 'make, list and revoke tokens', load: () => import('./commands/token.ts') },
  user: {
    summary: 'add, list, change and remove users',
    load: () => import('./commands/user.ts'),
  },
  team: {
    summary: 'manage teams and their members',
    load: () => import('./commands/team.ts'),
  },
  completion: {
    summary: 'print a script that completes commands in the shell',
    load: async () => {
      const { command } = await import('./commands/completion.ts')
      return { command: () => command(loadAll) }
    },
  },
  kubeconfig: {
    summary: 'print a kubeconfig for kubectl, or merge it into a file',
    load: () => import('./commands/kubeconfig.ts'),
  },
  'kube-token': {
    summary: 'print the stored token for kubectl',
    load: () => import('./commands/kube-token.ts'),
  },
}

const loadAll = (): Promise<Command[]> =>
  Promise.all(
    Object.entries(commands).map(async ([name, { load }]) => (await load()).command().name(name)),
  )

type Program = (argv: readonly string[]) => Promise<number>

/** Programs that run on the agent's machine and use no API. */
const agentPrograms: Readonly<Partial<Record<string, () => Promise<Program>>>> = {
  run: async () => (await import('../agent/main.ts')).runAgent,
  install: async () => (await import('../agent/machine/install.ts')).installAgent,
  doctor: async () => (await import('../agent/machine/doctor.ts')).runDoctor,
  uninstall: async () => (await import('../agent/machine/uninstall.ts')).uninstallAgent,
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
STAGELY_CA_FILE, or by what "stagely login" stored, or by KUBECONFIG.`,
    )
  program.command('controller').description('run the controller')
  program.command('restore').description('read a backup into an empty database')
  for (const [name, { summary }] of Object.entries(commands)) {
    program.command(name).description(summary)
  }
  return program
}

/** Makes usage errors of every nested command exceptions; by default Commander prints and exits. */
const throwOnExit = (command: Command): void => {
  command.exitOverride()
  for (const child of command.commands) throwOnExit(child)
}

const run = async (argv: readonly string[]): Promise<number> => {
  const [name = '', ...rest] = argv
  const isProgram =
    name === 'controller' ||
    name === 'restore' ||
    (name === 'agent' && Object.hasOwn(agentPrograms, rest[0] ?? ''))
  if (isProgram) {
    return (await runProgram(argv)) ?? 0
  }
  endQuietlyWhenNobodyReads()
  if (name === 'version' || name === '--version' || name === '-V') {
    const { version } = await import('../src/kernel/version.ts')
    out(version)
    return 0
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (entry !== undefined) {
    const { command } = await entry.load()
    const loaded = command()
    loaded.name(`stagely ${name}`)
    throwOnExit(loaded)
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
