// The versions that an agent names when it opens a stream. Engine and Compose may be upgraded while it runs.
import { defined } from '../../src/kernel/defined.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { StreamRequest } from '../../src/protocol/messages.ts'
import type { Compose } from '../../src/compose/compose.ts'
import type { Engine } from '../docker/engine.ts'

export type AgentVersions = Omit<StreamRequest, 'protocol' | 'now' | 'holds'>

export interface About {
  /** As of the last look. */
  current(): AgentVersions
  /** Asks for the versions again. One that does not answer keeps its last version. Never rejects. */
  refresh(): Promise<void>
}

export const createAbout = (
  { boot, version }: Pick<AgentVersions, 'boot' | 'version'>,
  {
    engine,
    compose,
    log,
  }: {
    readonly engine: Pick<Engine, 'version'>
    readonly compose: Pick<Compose, 'version' | 'lookAgain'>
    readonly log: Logger
  },
): About => {
  let engineVersion: string | undefined
  return {
    current: () => ({
      boot,
      version,
      ...defined({ engineVersion }),
      composeVersion: compose.version,
    }),
    refresh: async () => {
      try {
        engineVersion = await engine.version()
      } catch (error) {
        log.warn({ reason: messageOf(error) }, 'the Docker engine does not answer')
      }
      // Each stack tells by itself of a fault of Compose.
      await compose.lookAgain().catch(() => undefined)
    },
  }
}
