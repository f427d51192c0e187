// A controller in the test's process, for a world whose tests look at what it does and not at its process: a
// process of its own costs a second of CPU more.
import { parseConfig } from '../../../controller/config.ts'
import { startController } from '../../../controller/wire.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import type { Logger } from '../../../src/kernel/log.ts'
import { controllerReady, startProgram, type Program } from './processes.ts'

/** Notes lines as JSON, without those for debugging. */
export const loggerInto = (lines: string[], fields: object = {}): Logger => {
  const say = (more: object, message: string): void => {
    lines.push(JSON.stringify({ ...fields, ...more, message }))
  }
  return {
    debug: () => undefined,
    info: say,
    warn: say,
    error: say,
    child: (more) => loggerInto(lines, { ...fields, ...more }),
  }
}

/** Its output is what it logs, without the log's own redaction. It ends as by SIGTERM, whatever the signal. */
export const controllerHere = async (
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Program> => {
  const lines: string[] = []
  const running = await startController(parseConfig(args, env), loggerInto(lines), realClock)
  let ended: Promise<void> | undefined
  return {
    get child(): never {
      throw new Error('this controller has no process of its own')
    },
    output: () => lines.join('\n'),
    kill: () => (ended ??= running.stop()),
  }
}

/** The first ones are processes, which a test may kill; who comes after them is not killed any more, and is here. */
export const controllerHereAfter = (processes: number): typeof controllerHere => {
  let started = 0
  return (args, env) =>
    started++ < processes
      ? startProgram(['controller', ...args], env, controllerReady)
      : controllerHere(args, env)
}
