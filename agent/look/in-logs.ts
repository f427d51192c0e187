// Looks for values in the last lines of the logs of the agent's stacks.
import { lookTail } from '../../src/protocol/look.ts'
import { readFrames } from '../logs/frames.ts'
import { containerName, holderOf } from './in-containers.ts'
import type { Looking } from './looking.ts'

const lookInLog = async (looking: Looking, id: string): Promise<string[] | undefined> => {
  const log = await looking.engine.openLog(id, { tail: lookTail, follow: false }, looking.signal)
  if (log === undefined) return undefined
  const streams = { stdout: looking.stream(), stderr: looking.stream() }
  for await (const { stream, bytes } of readFrames(log)) {
    streams[stream].write(bytes)
    if (looking.isOver()) break
  }
  return [...new Set(Object.values(streams).flatMap((stream) => stream.end()))]
}

export const lookInLogs = async (looking: Looking): Promise<void> => {
  for (const project of looking.projects)
    for (const container of await looking.engine.listContainers(project)) {
      if (looking.isOver()) return
      const found = await lookInLog(looking, container.Id).catch(() => undefined)
      if (found === undefined) looking.unread(`log of ${containerName(container)}: cannot be read`)
      else looking.note({ kind: 'log', ...holderOf(container, looking.projects) }, found)
    }
}
