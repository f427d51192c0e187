// `stagely agent leave`: the machine of an ephemeral agent goes. The controller ends the agent at once, with its stagelets.
import { realClock } from '../../src/kernel/clock.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import { agentPaths } from '../../src/protocol/messages.ts'
import { loadAgentIdentity } from '../identity/identity.ts'
import { createControllerClient, RefusedByController } from '../link/controller-client.ts'
import { createRequestSigner } from '../link/request-signer.ts'
import { parseMachineFlags } from './flags.ts'
import { printLine, runProgram } from './program.ts'

const usage = `Usage: stagely agent leave [--data-dir DIR]

Tells the controller that this machine goes: the agent, its stagelets and their own secrets are
deleted at once. Only of an ephemeral agent. No container is stopped. The service that
"stagely agent install --ephemeral" makes does this when the machine shuts down.

  --data-dir DIR  keys and state (/var/lib/stagely-agent)

Examples:
  stagely agent leave
  stagely agent leave --data-dir /data/agent
`

/** `argv` is what follows `stagely agent leave`; resolves to the exit code. */
export const leaveController = (argv: readonly string[]): Promise<number> =>
  runProgram('leave', usage, async () => {
    const flags = parseMachineFlags(argv, {}, { anyDockerHost: true })
    if (flags === 'help') return 'help'
    const { dataDir } = flags.config
    const identity = await loadAgentIdentity(dataDir)
    if (identity === undefined)
      throw new StagelyError('BadRequest', `${dataDir} holds no identity: no agent has joined here`)
    const client = createControllerClient(identity, createRequestSigner(identity, realClock))
    try {
      await client.post({ path: agentPaths.leave, body: {} })
      printLine(`agent ${identity.namespace}/${identity.name} has left ${identity.url}`)
    } catch (error) {
      // An earlier answer may have been lost.
      if (!(error instanceof RefusedByController) || error.reason !== 'UnknownAgent') throw error
      printLine(`${identity.url} does not know this agent any more`)
    } finally {
      client.close()
    }
    return 0
  })
