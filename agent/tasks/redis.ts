// Steps of Redis and Valkey by their command in the container. Commands go in by its standard input, which has passwords
// in AUTH alone.
import { randomBytes } from 'node:crypto'
import { redisArgument } from '../../src/databases/quote.ts'
import {
  redisParams,
  runRedisStep,
  type RedisCommand,
  type Lines,
  type RedisSession,
} from '../../src/databases/redis.ts'
import { StepFault, type Login } from '../../src/databases/step.ts'
import { isMissing, type DatabaseContainer, type Ran } from './container.ts'
import { createPlugin } from './plugin.ts'

const programs = ['redis-cli', 'valkey-cli']

const cli = async (container: DatabaseContainer, input: string): Promise<Ran> => {
  for (const program of programs) {
    const ran = await container.run([program, '-t', '5'], input)
    if (!isMissing(ran)) return ran
  }
  throw await container.missing('the container has neither redis-cli nor valkey-cli')
}

const lineOf = (command: RedisCommand): string => command.map(redisArgument).join(' ')

/**
 * An answer has any number of lines: each is followed by a mark that no answer holds. Who may not use ECHO gets no mark,
 * and is logged in all the same. undefined: not logged in.
 */
const askWith = async (
  container: DatabaseContainer,
  login: Login | undefined,
  commands: readonly RedisCommand[],
): Promise<readonly Lines[] | undefined> => {
  const mark = randomBytes(12).toString('hex')
  const first = login === undefined ? ['PING'] : ['AUTH', login.username, login.password]
  const all = [first, ...commands].flatMap((command) => [command, ['ECHO', mark]])
  const { stdout } = await cli(container, `${all.map(lineOf).join('\n')}\n`)
  if (!stdout.startsWith(login === undefined ? 'PONG' : 'OK')) return undefined
  const answers: string[][] = []
  let lines: string[] = []
  for (const line of stdout.split('\n')) {
    if (line.trim() !== mark) lines.push(line.replace(/\r$/, ''))
    else {
      answers.push(lines.filter((text) => text !== ''))
      lines = []
    }
  }
  return answers.slice(1)
}

const sessionIn = (container: DatabaseContainer): RedisSession => ({
  ask: async (login, commands) => {
    const answers = await askWith(container, login, commands)
    if (answers !== undefined) return answers
    const { stdout, stderr } = await cli(container, 'PING\n')
    if (stdout.trim() === '')
      throw new StepFault('Unreachable', `the server does not answer: ${stderr.trim()}`)
    return undefined
  },
  command: container.command,
  lasts: container.lasts,
})

export const redisPlugin = createPlugin({
  params: redisParams,
  values: ({ login, current, admins }) =>
    [login, current, ...admins].map((account) => account?.password),
  run: (step, params, container) => runRedisStep(step, params, sessionIn(container)),
})
