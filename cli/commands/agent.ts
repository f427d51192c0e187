// agent: makes join tokens, lists agents, revokes them. `agent run` is not here.
import { openClient } from '../connect/client.ts'
import { InvalidArgumentError, Option } from 'commander'
import { drainCommand, undrainCommand } from '../agent/drain.ts'
import { pathOf } from '../connect/api.ts'
import { lossOfAgent, stageletsOfAgent } from '../delete/losses.ts'
import { defined } from '../../src/kernel/defined.ts'
import { isDuration } from '../../src/resources/duration.ts'
import { CliError, usageError } from '../errors.ts'
import { nameOf, quotedName, servedKind } from '../output/kinds.ts'
import { newCommand, newGroup, parseDuration, type Command, type CommonFlags } from '../options.ts'
import { listObjects } from '../objects/objects.ts'
import { out } from '../print.ts'
import { confirm } from '../prompt.ts'

export const command = (): Command =>
  newGroup('agent', 'Run an agent, and manage who may be one.', [
    'stagely agent token create --namespace default --name web-1',
    'stagely agent run --data-dir /var/lib/stagely-agent --join-file token --allow-dir /srv',
    'stagely agent drain web-1',
    'stagely agent revoke web-1',
  ]).having(...programs, tokenCommand, drainCommand, undrainCommand, revokeCommand)

const tokenCommand = (): Command =>
  newGroup('token', 'Create join tokens.', [
    'stagely agent token create --namespace default --name web-1 --ttl 10m',
  ]).having(createCommand)

/** Only for the help: command-line.ts runs these programs, which parse their own flags. */
const programs: readonly (() => Command)[] = [
  () =>
    newCommand('run', 'Run the agent of this machine (its own --help lists the flags).', [
      'stagely agent run --data-dir /var/lib/stagely-agent --join-file token --allow-dir /srv',
    ]),
  () =>
    newCommand('install', 'Install the agent of this machine as a hardened systemd service.', [
      'stagely agent install --join-file token --allow-dir /srv',
    ]),
  () =>
    newCommand('doctor', 'Check this machine, and say what to fix.', [
      'stagely agent doctor --allow-dir /srv',
    ]),
  () =>
    newCommand('leave', 'End the ephemeral agent of this machine: its stagelets are deleted.', [
      'stagely agent leave',
    ]),
  () =>
    newCommand('uninstall', 'Remove the service of this machine; containers keep running.', [
      'stagely agent uninstall',
    ]),
]

interface CreateFlags extends CommonFlags {
  readonly name: string
  readonly ttl: number
  readonly ephemeral?: boolean
  readonly goneAfter?: string
}

const parseGone = (text: string): string => {
  if (!isDuration(text)) throw new InvalidArgumentError('use at least 1m, such as 10m or 2h.')
  return text
}

const createCommand = (): Command =>
  newCommand('create', 'Create a token that lets one agent join, once; prints only the token.', [
    'stagely agent token create --namespace default --name web-1',
    'stagely agent token create --name web-1 --ttl 1h > token',
    'stagely agent token create --name ci-7 --ephemeral --gone-after 10m > token',
  ])
    .requiredOption('--name <name>', 'name of the agent that may join with it')
    .addOption(
      new Option('--ttl <time>', 'lifetime of the token')
        .argParser(parseDuration)
        .default(600_000, '10m'),
    )
    .option('--ephemeral', 'the machine is meant to go: away for long, it is ended')
    .option('--gone-after <time>', 'how long it may be away (10m); with --ephemeral', parseGone)
    .action(async (flags: CreateFlags) => {
      const { ephemeral = false, goneAfter } = flags
      if (goneAfter !== undefined && !ephemeral)
        throw usageError('--gone-after goes with --ephemeral')
      const { api } = await openClient(flags)
      const path = `${pathOf(servedKind('Agent'), api.namespace, flags.name)}/token`
      const body = {
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'AgentToken',
        metadata: { name: flags.name, namespace: api.namespace },
        spec: {
          expirationSeconds: Math.max(1, Math.round(flags.ttl / 1000)),
          ...(ephemeral && { ephemeral: defined({ goneAfter }) }),
        },
      }
      const answer = (await api.call(path, { method: 'POST', body })) as {
        status?: { token?: string }
      }
      const token = answer.status?.token
      if (token === undefined) throw new CliError(`${api.server} gave no token`)
      out(token)
    })

const revokeCommand = (): Command =>
  newCommand('revoke', 'Revoke the keys of an agent. Its name may join again with a new token.', [
    'stagely agent revoke web-1',
    'stagely agent revoke web-1 --yes',
  ])
    .asking()
    .argument('<name>', 'name of the agent')
    .action(async (word: string, flags: CommonFlags & { yes?: boolean }) => {
      const kind = servedKind('Agent')
      const name = nameOf(kind, word)
      const { api } = await openClient(flags)
      const all = await listObjects(api, servedKind('Stagelet'), { namespace: api.namespace })
      const details = [
        lossOfAgent(name, stageletsOfAgent(name, all)),
        'Its keys do not come back: with a new join token the machine joins anew.',
      ]
      await confirm({ question: `Revoke agent ${name}?`, details }, flags.yes)
      await api.call(`${pathOf(kind, api.namespace, name)}/revoke`, { method: 'POST', body: {} })
      out(`${quotedName(kind, name)} revoked`)
    })
