// One more agent of a world: each has its own folder and name, as on a machine of its own.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAgentProcess } from './agent-process.ts'
import type { Program, World } from '../programs/processes.ts'

export interface NamedAgent {
  /** Of now. */
  readonly program: Program
  /** Starts it again, and waits until it is connected. */
  start(): Promise<void>
  output(): string
}

export const startNamedAgent = async (
  world: World,
  name: string,
  by: typeof startAgentProcess = startAgentProcess,
): Promise<NamedAgent> => {
  const made = await world.must(
    'agent',
    'token',
    'create',
    '--namespace',
    'default',
    '--name',
    name,
  )
  const folders = ['--data-dir', join(world.dir, name), '--allow-dir', tmpdir()]
  const programs: Program[] = []
  const start = async (): Promise<void> => {
    const args = ['agent', 'run', ...folders, '--join', made.trim()]
    programs.push(await by(args, {}))
  }
  await start()
  return {
    get program() {
      return programs.at(-1)!
    },
    start,
    output: () => programs.map((program) => program.output()).join('\n'),
  }
}
