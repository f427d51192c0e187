// Runs the steps of our action and the jobs of our component as their runners document it, without a runner: inputs and
// expressions are filled in, variables and outputs go through files, and what was to be masked is masked in the log.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'

type Texts = Record<string, string>

export interface JobRun {
  /** Of the step that failed; 0. */
  readonly code: number
  /** As people see it, in order. */
  readonly log: string
  /** As the runner read it. */
  readonly raw: string
  readonly outputs: Texts
}

const runShell = async (
  argv: readonly [string, ...string[]],
  env: Texts,
  cwd: string,
): Promise<{ code: number; text: string }> => {
  const child = spawn(argv[0], argv.slice(1), { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? -1, text }
}

/** `NAME=VALUE` lines, as the files of GitHub and dotenv reports have them. */
const readLines = async (file: string): Promise<Texts> =>
  Object.fromEntries(
    (await readFile(file, 'utf8').catch(() => '')).split('\n').flatMap((line) => {
      const at = line.indexOf('=')
      return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)]]
    }),
  )

interface Step {
  readonly id?: string
  readonly if?: string
  readonly env?: Texts
  readonly run: string
}

interface Action {
  readonly inputs: Record<string, { required?: boolean; default?: string }>
  readonly outputs: Record<string, { value: string }>
  readonly runs: { using: string; steps: Step[] }
}

export const readAction = async (folder: string): Promise<Action> =>
  parse(await readFile(join(folder, 'action.yml'), 'utf8')) as Action

/** What the runner masks from the log: after the line that says so. */
const masked = (raw: string): string => {
  const masks: string[] = []
  return raw
    .split('\n')
    .map((line) => {
      const mask = /^::add-mask::(.*)$/.exec(line)?.[1]
      if (mask !== undefined && mask !== '') masks.push(mask)
      return masks.reduce((text, secret) => text.replaceAll(secret, '***'), line)
    })
    .join('\n')
}

/** A composite action, in a job of its own. `context`: values by the expressions that name them. */
export const runAction = async (
  folder: string,
  { with: given, env, context, dir }: { with: Texts; env: Texts; context: Texts; dir: string },
): Promise<JobRun> => {
  const action = await readAction(folder)
  const known: Texts = { 'github.action_path': folder, ...context }
  const fill = (text: string): string =>
    text.replace(/\$\{\{ ([\w.-]+) \}\}/g, (_, name: string) => known[name] ?? '')
  for (const [name, { required, default: usual }] of Object.entries(action.inputs)) {
    if (required === true && given[name] === undefined) throw new Error(`needs ${name}`)
    known[`inputs.${name}`] = given[name] ?? fill(usual ?? '')
  }
  const temp = join(dir, 'runner-temp')
  await mkdir(temp, { recursive: true })
  const files = { GITHUB_ENV: join(dir, 'env'), GITHUB_OUTPUT: join(dir, 'output') }
  let raw = ''
  let code = 0
  for (const step of action.runs.steps) {
    const [, asked = ''] = /^(inputs\.[\w-]+) != ''$/.exec(step.if ?? '') ?? []
    if (step.if !== undefined && (known[asked] ?? '') === '') continue
    for (const file of Object.values(files))
      await writeFile(file, '', { flag: file === files.GITHUB_ENV ? 'a' : 'w' })
    const script = join(temp, 'step.sh')
    await writeFile(script, step.run)
    const own = Object.entries(step.env ?? {}).map(([name, text]) => [name, fill(text)])
    const all = {
      GITHUB_ACTIONS: 'true',
      RUNNER_TEMP: temp,
      ...files,
      ...env,
      ...(await readLines(files.GITHUB_ENV)),
      ...(Object.fromEntries(own) as Texts),
    }
    const ran = await runShell(
      ['bash', '--noprofile', '--norc', '-eo', 'pipefail', script],
      all,
      dir,
    )
    raw += ran.text
    for (const [name, value] of Object.entries(await readLines(files.GITHUB_OUTPUT)))
      known[`steps.${step.id ?? ''}.outputs.${name}`] = value
    code = ran.code
    if (code !== 0) break
  }
  const outputs = Object.entries(action.outputs).map(([name, { value }]) => [name, fill(value)])
  return { code, raw, log: masked(raw), outputs: Object.fromEntries(outputs) as Texts }
}

interface GitlabJob {
  readonly extends?: string
  readonly variables?: Texts
  readonly before_script?: string[]
  readonly script?: string[]
  readonly after_script?: string[]
  readonly artifacts?: { reports: { dotenv: string } }
  readonly environment?: { url?: string }
}

/** One job of a component of GitLab: before_script and script in one shell, after_script in another one. */
export const runComponentJob = async (
  file: string,
  name: string,
  { inputs, env, dir }: { inputs: Texts; env: Texts; dir: string },
): Promise<JobRun> => {
  const text = await readFile(file, 'utf8')
  const [head] = parseAllDocuments(text)
  const { inputs: declared } = (head?.toJS() as { spec: { inputs: Action['inputs'] } }).spec
  const [, body = ''] = text.split('\n---\n')
  const filled = body.replace(/\$\[\[ inputs\.([\w-]+) \]\]/g, (_, input: string) => {
    const value = inputs[input] ?? declared[input]?.default
    if (value === undefined) throw new Error(`needs ${input}`)
    return JSON.stringify(value)
  })
  const jobs = parse(filled) as Record<string, GitlabJob>
  const own = jobs[name]!
  const base = jobs[own.extends ?? ''] ?? {}
  const expanded = (value: string): string =>
    value.replace(/\$(\w+)/g, (_, variable: string) => env[variable] ?? '')
  const variables = Object.entries({ ...base.variables, ...own.variables })
  const all: Texts = {
    ...env,
    ...Object.fromEntries(variables.map(([key, value]) => [key, expanded(value)])),
  }
  const script = [...(base.before_script ?? []), ...(own.script ?? [])].join('\n')
  const { code, text: raw } = await runShell(['sh', '-ec', script], all, dir)
  const after = await runShell(['sh', '-c', (base.after_script ?? []).join('\n')], all, dir)
  const report = await readLines(join(dir, own.artifacts?.reports.dotenv ?? 'none'))
  const url = own.environment?.url?.replace(
    /\$(\w+)/g,
    (_, variable: string) => report[variable] ?? '',
  )
  const log = raw + after.text
  return { code, raw: log, log, outputs: { url: url ?? '' } }
}
