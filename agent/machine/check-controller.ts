// Doctor: checks the controller, as seen from this machine.
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../src/kernel/clock.ts'
import { isReason, messageOf } from '../../src/kernel/errors.ts'
import { maxClockSkewMs } from '../../src/kernel/clock-skew.ts'
import { defined } from '../../src/kernel/defined.ts'
import { httpRequest } from '../../src/kernel/request.ts'
import { agentPaths } from '../../src/protocol/messages.ts'
import { createControllerClient, RefusedByController } from '../link/controller-client.ts'
import { lockAgentDir } from '../identity/data-dir.ts'
import { loadAgentIdentity, type AgentIdentity } from '../identity/identity.ts'
import { createRequestSigner } from '../link/request-signer.ts'
import { failedCheck, ok, skipped, warning, type DoctorCheck } from './check.ts'

const deadlineMs = 5_000
const worryMs = 30_000
const ntp = 'set the wrong clock, and keep it right with NTP (timedatectl set-ntp true)'

const ask = async ({ url, ca }: AgentIdentity): Promise<IncomingMessage> => {
  const options = { timeout: deadlineMs, agent: false, ...defined({ ca }) }
  const response = await httpRequest(new URL('/healthz', url), options)
  return response.resume()
}

const reachRemedy = (error: unknown): string => {
  const text = messageOf(error)
  if (/CERT_|certificate|self.signed/i.test(text))
    return `something between shows another certificate, or a clock is wrong: ${ntp}`
  if (/ENOTFOUND|EAI_AGAIN/.test(text)) return 'the name does not resolve: check DNS'
  return 'is it running, and does a firewall let this machine through to it? Containers run on meanwhile'
}

/** Date headers count whole seconds. */
const checkClock = (response: IncomingMessage, now: number): DoctorCheck => {
  const theirs = Date.parse(response.headers.date ?? '')
  if (Number.isNaN(theirs)) return skipped('clock', 'the controller says no time')
  const skewMs = now - theirs
  const seconds = Math.round(Math.abs(skewMs) / 1000)
  const message = `${seconds} s ${skewMs < 0 ? 'behind' : 'ahead of'} the controller`
  if (Math.abs(skewMs) > maxClockSkewMs)
    return failedCheck('clock', `${message}: it refuses more than ${maxClockSkewMs / 60_000} minutes`, ntp) // prettier-ignore
  if (Math.abs(skewMs) > worryMs) return warning('clock', message, ntp)
  return ok('clock', seconds <= 2 ? 'as the controller’s' : message)
}

/** An empty report changes nothing, and is only taken from an agent that the controller knows. */
const checkKnown = async (identity: AgentIdentity, clock: Clock): Promise<DoctorCheck> => {
  const client = createControllerClient(identity, createRequestSigner(identity, clock))
  const { namespace, name } = identity
  try {
    const body = { boot: 'doctor', seq: 0, observations: [] }
    await client.post({ path: agentPaths.report, body })
  } catch (error) {
    // 409: the controller knows the agent, which runs and reports by itself.
    if (!(error instanceof RefusedByController && error.status === 409)) {
      const remedy =
        error instanceof RefusedByController && error.status === 401
          ? `if it should be known: stagely agent token create --namespace ${namespace} --name ${name}, and install with that token`
          : 'look at the log of the controller'
      return failedCheck('identity', messageOf(error), remedy)
    }
  } finally {
    client.close()
  }
  return ok('identity', `known to the controller as ${namespace}/${name}`)
}

const checkRunning = async (dataDir: string): Promise<DoctorCheck> => {
  try {
    const unlock = await lockAgentDir(dataDir)
    await unlock()
  } catch (error) {
    if (isReason(error, 'Conflict')) return ok('service', 'an agent runs')
  }
  return warning('service', `no agent runs on ${dataDir}`, 'stagely agent install, or: systemctl start stagely-agent') // prettier-ignore
}

export const checkController = async (dataDir: string, clock: Clock): Promise<DoctorCheck[]> => {
  const service = await checkRunning(dataDir)
  const skip = (why: string, ...names: string[]): DoctorCheck[] =>
    names.map((name) => skipped(name, why))
  let identity: AgentIdentity | undefined
  try {
    identity = await loadAgentIdentity(dataDir)
  } catch (error) {
    const broken = failedCheck('identity', messageOf(error), 'as it says')
    return [...skip('the identity cannot be read', 'controller', 'clock'), broken, service]
  }
  if (identity === undefined)
    return [...skip('not joined yet', 'controller', 'clock', 'identity'), service]
  try {
    const response = await ask(identity)
    const reached = ok('controller', identity.url)
    const now = clock.now()
    return [reached, checkClock(response, now), await checkKnown(identity, clock), service]
  } catch (error) {
    const away = failedCheck('controller', `cannot reach ${identity.url}: ${messageOf(error)}`, reachRemedy(error)) // prettier-ignore
    return [away, ...skip('the controller cannot be reached', 'clock', 'identity'), service]
  }
}
