// controller_rss_mb, agent_rss_mb at rest; controller_start_ms on existing data.
import { median, type Row } from './measure.ts'
import { cpuMs, memoryMb } from './proc.ts'
import type { World } from './world.ts'

/** The agent's CPU time is taken over `restMs` in which nothing happens. */
export const benchFootprint = async (world: World, restMs: number): Promise<Row[]> => {
  const starts: number[] = []
  for (let i = 0; i < 3; i++) {
    await world.restartController()
    starts.push(world.controller.startMs)
  }
  await world.settled()
  const agentPid = world.agent.pid
  const before = cpuMs(agentPid)
  await new Promise((resolve) => setTimeout(resolve, restMs))
  const idle = ((cpuMs(agentPid) - before) * 60_000) / restMs
  const over = { over_s: restMs / 1000 }
  const controllerPid = world.controller.server.pid
  return [
    { name: 'controller_start_ms', value: median(starts), unit: 'ms' },
    {
      name: 'controller_rss_mb',
      value: memoryMb(controllerPid, 'VmRSS'),
      unit: 'MB',
      peak: Math.round(memoryMb(controllerPid, 'VmHWM')),
    },
    {
      name: 'agent_rss_mb',
      value: memoryMb(agentPid, 'VmRSS'),
      unit: 'MB',
      stagelets: 5,
      ...over,
      peak: Math.round(memoryMb(agentPid, 'VmHWM')),
    },
    { name: 'agent_idle_cpu_ms_per_min', value: idle, unit: 'ms/min', ...over },
  ]
}
