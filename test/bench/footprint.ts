// controller_rss_mb, agent_rss_mb at rest; controller_start_ms on existing data.
import { readFileSync } from 'node:fs'
import { median, type Row } from './measure.ts'
import type { World } from './world.ts'

const status = (pid: number, field: string): number => {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? NaN) / 1024
}

/** CPU time of a process in ms, from the kernel's ticks of 10 ms. */
const cpuMs = (pid: number): number => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

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
      value: status(controllerPid, 'VmRSS'),
      unit: 'MB',
      peak: Math.round(status(controllerPid, 'VmHWM')),
    },
    {
      name: 'agent_rss_mb',
      value: status(agentPid, 'VmRSS'),
      unit: 'MB',
      stagelets: 5,
      ...over,
      peak: Math.round(status(agentPid, 'VmHWM')),
    },
    { name: 'agent_idle_cpu_ms_per_min', value: idle, unit: 'ms/min', ...over },
  ]
}
