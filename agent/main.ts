// `stagely agent run`.
import { backoffMs } from '../src/kernel/backoff.ts'
import { realClock } from '../src/kernel/clock.ts'
import { messageOf, StagelyError } from '../src/kernel/errors.ts'
import { createLogger, type Logger } from '../src/kernel/log.ts'
import { pause } from '../src/kernel/async/pause.ts'
import { parseJoinToken, type JoinToken } from '../src/protocol/join-token.ts'
import { agentVersion, parseAgentConfig, usage, type AgentConfig } from './config.ts'
import { RefusedByController } from './link/controller-client.ts'
import { prepareAgentDir, lockAgentDir } from './identity/data-dir.ts'
import { loadAgentIdentity, type AgentIdentity } from './identity/identity.ts'
import { joinController, mayRetryJoin } from './link/join.ts'
import { startAgent } from './wire.ts'

/**
 * Runs the agent until SIGTERM or SIGINT; resolves to the exit code: 0 stopped, 1 failed, 2 wrong
 * usage. `argv` is what follows `stagely agent run`.
 */
export const runAgent = async (argv: readonly string[]): Promise<number> => {
  let config: AgentConfig | 'help'
  try {
    config = parseAgentConfig(argv)
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${usage}`)
    return 2
  }
  if (config === 'help') {
    process.stdout.write(usage)
    return 0
  }
  const stopping = new AbortController()
  const onSignal = (): void => stopping.abort()
  process.once('SIGTERM', onSignal)
  process.once('SIGINT', onSignal)
  try {
    return await runUntil(config, stopping.signal)
  } catch (error) {
    const isOurs = error instanceof StagelyError || error instanceof RefusedByController
    process.stderr.write(`stagely agent: ${isOurs ? error.message : messageOf(error)}\n`)
    return 1
  } finally {
    process.off('SIGTERM', onSignal)
    process.off('SIGINT', onSignal)
  }
}

const runUntil = async (config: AgentConfig, signal: AbortSignal): Promise<number> => {
  const log = createLogger(config.logLevel, { component: 'agent' })
  if (await prepareAgentDir(config.dataDir))
    log.warn(
      { dataDir: config.dataDir },
      'the data folder was open to other users; it is closed to them now: where one of them may have read identity.json, give the agent new keys (stagely admin agent-keys)',
    )
  const unlock = await lockAgentDir(config.dataDir)
  try {
    const identity = await findIdentity(config, log, signal)
    if (identity === undefined) return 0
    const agent = await startAgent({
      config,
      identity,
      clock: realClock,
      random: Math.random,
      log: log.child({ agent: `${identity.namespace}/${identity.name}` }),
      onConnected: () => {
        process.stdout.write(`stagely agent ${identity.name} connected to ${identity.url}\n`)
      },
    })
    await aborted(signal)
    log.info({}, 'stopping; containers run on')
    await agent.stop()
    return 0
  } finally {
    await unlock()
  }
}

/** The stored identity, or a new one by the join token; undefined when stopped before. */
const findIdentity = async (
  { dataDir, joinToken }: AgentConfig,
  log: Logger,
  signal: AbortSignal,
): Promise<AgentIdentity | undefined> => {
  const stored = await loadAgentIdentity(dataDir)
  if (joinToken === undefined) {
    if (stored !== undefined) return stored
    const message = `${dataDir} holds no identity yet: give a join token with --join-file (make one with: stagely agent token create)`
    throw new StagelyError('BadRequest', message)
  }
  const token = parseJoinToken(joinToken)
  // A service manager gives the same token at each start.
  if (stored?.tokenId === token.tokenId) return stored
  return joinPatiently(dataDir, token, { log, signal })
}

const joinPatiently = async (
  dataDir: string,
  token: JoinToken,
  { log, signal }: { log: Logger; signal: AbortSignal },
): Promise<AgentIdentity | undefined> => {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      return await joinController(dataDir, token, agentVersion)
    } catch (error) {
      if (!mayRetryJoin(error)) throw error
      log.warn({ url: token.url, reason: messageOf(error) }, 'cannot join yet; trying again')
      const retryAfterMs = error instanceof RefusedByController ? error.retryAfterMs : undefined
      const delayMs = retryAfterMs ?? 250 + backoffMs(attempt, { baseMs: 500, capMs: 30_000 })
      await pause(realClock, delayMs, signal)
    }
  }
  return undefined
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
