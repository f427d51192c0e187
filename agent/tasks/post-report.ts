// Posts what the controller has asked for. One that is being restarted answers soon; later it asks again.
import type { Clock } from '../../src/kernel/clock.ts'
import { agentPaths } from '../../src/protocol/messages.ts'
import { taskResponse, type TaskReport } from '../../src/protocol/tasks.ts'
import type { ControllerClient } from '../link/controller-client.ts'

const tries = 6
const retryMs = 500

export const postReport = async (
  { client, clock }: { readonly client: Pick<ControllerClient, 'post'>; readonly clock: Clock },
  report: TaskReport,
  signal: AbortSignal,
): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    try {
      taskResponse.parse(await client.post({ path: agentPaths.tasks, body: report }))
      return
    } catch (error) {
      if (attempt >= tries || signal.aborted) throw error
      await clock.sleep(retryMs, signal)
    }
  }
}
