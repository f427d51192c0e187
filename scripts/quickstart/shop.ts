// The example stack: where it runs, and what Docker itself says of its containers.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, run } from '../lib/processes.ts'
import { root } from '../lib/stagely.ts'

export const exampleDir = join(root, 'docs/examples/shop')

export interface Stack {
  readonly directory: string
  /** The name that Compose itself chooses: that of the folder. */
  readonly project: string
  /** Why it is not the clone's own folder. */
  readonly note?: string
}

export interface Container {
  readonly service: string
  readonly id: string
  readonly startedAt: string
  /** Folder of the compose file that it was made from. */
  readonly workingDir: string
}

/**
 * The clone's own folder; a copy with other ports and another name where 8080 or 3000 is taken, or
 * where somebody else has a stack called `shop` on this machine. What a killed run left goes first.
 */
export const prepareStack = async (dataDir: string): Promise<Stack> => {
  const own = { directory: exampleDir, project: 'shop' }
  const present = await containersOf(own)
  const foreign = present.some((c) => c.workingDir !== exampleDir)
  if (present.length > 0 && !foreign) await composeDown(own)
  const wanted = [8080, 3000]
  const ports = await Promise.all(wanted.map((port) => freePort(port, '0.0.0.0')))
  if (!foreign && ports.every((port, i) => port === wanted[i])) return own
  const free = foreign ? await Promise.all(wanted.map(() => freePort(0, '0.0.0.0'))) : ports
  const project = `shop-${process.pid}`
  const directory = join(dataDir, project)
  mkdirSync(directory, { recursive: true })
  cpSync(exampleDir, directory, { recursive: true })
  const file = join(directory, 'docker-compose.yml')
  let text = readFileSync(file, 'utf8')
  wanted.forEach((port, i) => (text = text.replace(`"${port}:`, `"${free[i] ?? port}:`)))
  writeFileSync(file, text)
  const reason = foreign ? 'another stack is called "shop"' : 'port 8080 or 3000 is taken'
  return { directory, project, note: `${reason}: using a copy on ports ${free.join(' and ')}` }
}

/** Takes down what is left of the stack, and its folder where that is a copy. */
export const removeStack = async (stack: Stack): Promise<void> => {
  await composeDown(stack)
  if (stack.directory !== exampleDir) rmSync(stack.directory, { recursive: true })
}

const composeDown = async ({ project, directory }: Stack): Promise<void> => {
  const flags = ['-p', project, '--project-directory', directory]
  await run('docker', ['compose', ...flags, 'down', '--timeout', '5'])
}

/** shop.yaml with the compose directory of this machine in it. */
export const shopManifest = (directory: string): string =>
  readFileSync(join(exampleDir, 'shop.yaml'), 'utf8').replace(
    /^( +directory: ).*$/m,
    (_, indent: string) => `${indent}${JSON.stringify(directory)}`,
  )

export const secretsFile = join(exampleDir, 'secrets.example.yaml')

/** The manifest of one secret of the example, with another value. */
export const secretManifest = (name: string, value: string): string => {
  const documents = readFileSync(secretsFile, 'utf8').split(/^---$/m)
  const found = documents.find((d) => d.includes(`name: ${name}\n`))
  if (found === undefined) throw new Error(`no secret ${name} in ${secretsFile}`)
  return found.replace(
    /^( +value: ).*$/m,
    (_, indent: string) => `${indent}${JSON.stringify(value)}`,
  )
}

/** The stack's containers as the engine sees them, by service. */
export const containersOf = async ({ project }: Stack): Promise<Container[]> => {
  const filter = `label=com.docker.compose.project=${project}`
  const ids = await run('docker', ['ps', '-aq', '--no-trunc', '--filter', filter])
  const list = ids.stdout.split('\n').filter((id) => id !== '')
  if (list.length === 0) return []
  const label = (name: string): string => `{{index .Config.Labels "com.docker.compose.${name}"}}`
  const format = `${label('service')} {{.Id}} {{.State.StartedAt}} ${label('project.working_dir')}`
  const { stdout } = await run('docker', ['inspect', '--format', format, ...list])
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [service = '', id = '', startedAt = '', ...workingDir] = line.split(' ')
      return { service, id, startedAt, workingDir: workingDir.join(' ') }
    })
    .sort((a, b) => (a.service < b.service ? -1 : 1))
}
