// `stagely agent doctor`: finds what this machine lacks for an agent, and says what to do.
import { realClock, type Clock } from '../../src/kernel/clock.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import { dockerHostFault, type AgentConfig } from '../config.ts'
import { checkController } from './check-controller.ts'
import { checkDocker } from './check-docker.ts'
import { checkFolders } from './check-folders.ts'
import { checkWriters } from './check-writers.ts'
import type { DoctorCheck } from './check.ts'
import { parseMachineFlags, textFlag } from './flags.ts'
import { printNote, runProgram, printLine } from './program.ts'

const usage = `Usage: stagely agent doctor [-o json|yaml|wide] [flags of "agent run"]

Checks engine, DOCKER_HOST, rootless or remapped engines, an agent in a container, Compose, user,
folders, tmpfs, containers that write Compose files, clock, and whether the controller can be reached and knows this agent. Changes nothing.
Give the flags that the agent runs with. Exit code 1 when a check failed; warnings are no failures.

  --data-dir DIR    keys and state (/var/lib/stagely-agent)
  --allow-dir DIR   where stacks may lie; repeat it for more
  --files-dir DIR   tmpfs folder for file secrets (/run/stagely)
  --files-on-disk   file secrets may be on a disk

Examples:
  stagely agent doctor --allow-dir /srv
  stagely agent doctor -o json | jq '.checks[] | select(.status != "ok")'
`

const options = { output: { type: 'string', short: 'o' } } as const

/** All findings, in the order in which a person would look. */
export const examine = async (config: AgentConfig, clock: Clock): Promise<DoctorCheck[]> => {
  const uid = process.geteuid?.() ?? 0
  return [
    ...(await checkDocker(config, { hostFault: dockerHostFault(), uid })),
    ...(await checkFolders(config, uid)),
    await checkWriters(config),
    ...(await checkController(config.dataDir, clock)),
  ]
}

/** `argv` is what follows `stagely agent doctor`; resolves to the exit code. */
export const runDoctor = (argv: readonly string[]): Promise<number> =>
  runProgram('doctor', usage, async () => {
    const flags = parseMachineFlags(argv, options, { anyDockerHost: true })
    if (flags === 'help') return 'help'
    const output = textFlag(flags.own, 'output') ?? ''
    if (!['', 'wide', 'json', 'yaml'].includes(output))
      throw new StagelyError('BadRequest', `-o ${output} is not known; use json, yaml or wide`)
    const checks = await examine(flags.config, realClock)
    await show(checks, output)
    return checks.some((c) => c.status === 'failed') ? 1 : 0
  })

const show = async (checks: readonly DoctorCheck[], output: string): Promise<void> => {
  if (output === 'json') printLine(JSON.stringify({ checks }, null, 4))
  else if (output === 'yaml')
    process.stdout.write((await import('../../src/formats/yaml.ts')).stringify({ checks }))
  else {
    for (const { name, status, message, remedy } of checks) {
      printLine(`${status.padEnd(8)} ${name.padEnd(12)} ${message}`)
      if (remedy !== undefined) printLine(`${' '.repeat(22)}→ ${remedy}`)
    }
    const count = (status: DoctorCheck['status']): number =>
      checks.filter((c) => c.status === status).length
    printNote(`${count('ok')} ok, ${count('warning')} warnings, ${count('failed')} failed, ${count('skipped')} skipped`) // prettier-ignore
  }
}
