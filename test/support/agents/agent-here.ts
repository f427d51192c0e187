// An agent in the test's process, for a world whose tests look at what it does and not at its process: a process of
// its own costs half a second of CPU more, and its Compose collects garbage.
import { agentVersion, parseAgentConfig } from '../../../agent/config.ts'
import { prepareAgentDir, lockAgentDir } from '../../../agent/identity/data-dir.ts'
import { loadAgentIdentity } from '../../../agent/identity/identity.ts'
import { joinController } from '../../../agent/link/join.ts'
import { startAgent, type RunningAgent } from '../../../agent/wire.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { parseJoinToken } from '../../../src/protocol/join-token.ts'
import { startAgentProcess } from './agent-process.ts'
import { loggerInto } from '../programs/controller-here.ts'
import type { Program } from '../programs/processes.ts'
import { shortGo } from '../short-go.ts'

/** `args` are those of the command. Resolves once it is connected. It ends as by SIGTERM, whatever the signal. */
export const agentHere = async (
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Program> => {
  const { PATH, HOME } = process.env
  const config = parseAgentConfig(args.slice(2), { PATH, HOME, ...env })
  if (config === 'help') throw new Error('an agent is to run')
  const { dataDir, joinToken, environment } = config
  await prepareAgentDir(dataDir)
  const unlock = await lockAgentDir(dataDir)
  const identity =
    (await loadAgentIdentity(dataDir)) ??
    (await joinController(dataDir, parseJoinToken(joinToken!), agentVersion))
  const lines: string[] = []
  let running!: RunningAgent
  await new Promise<void>((onConnected, onFault) => {
    startAgent({
      config: { ...config, environment: { ...environment, ...shortGo } },
      identity,
      clock: realClock,
      random: Math.random,
      log: loggerInto(lines),
      onConnected,
    }).then((agent) => (running = agent), onFault)
  })
  let ended: Promise<void> | undefined
  return {
    get child(): never {
      throw new Error('this agent has no process of its own')
    },
    output: () => lines.join('\n'),
    kill: () => (ended ??= running.stop().then(unlock)),
  }
}

/** The first ones are processes, which a test may kill; who comes after them is not killed any more, and is here. */
export const agentHereAfter = (processes: number): typeof agentHere => {
  let started = 0
  return (args, env) =>
    started++ < processes ? startAgentProcess(args, env) : agentHere(args, env)
}
