// The example stack: where it runs, and what Docker itself says of its containers.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, run } from '../lib/processes.ts'
import { root } from '../lib/stagely.ts'

export const exampleDir = join(root, 'docs/examples/shop')
export const composeProject = 'shop'

export interface Container {
  readonly service: string
  readonly id: string
  readonly startedAt: string
}

/** The clone's own folder; a copy with other ports where 8080 or 3000 is taken. */
export const chooseDirectory = async (
  dataDir: string,
): Promise<{ directory: string; note?: string }> => {
  const wanted = [8080, 3000]
  const ports = await Promise.all(wanted.map((port) => freePort(port, '0.0.0.0')))
  if (ports.every((port, i) => port === wanted[i])) return { directory: exampleDir }
  const directory = join(dataDir, 'shop')
  mkdirSync(directory, { recursive: true })
  cpSync(exampleDir, directory, { recursive: true })
  const file = join(directory, 'docker-compose.yml')
  let text = readFileSync(file, 'utf8')
  wanted.forEach((port, i) => (text = text.replace(`"${port}:`, `"${ports[i] ?? port}:`)))
  writeFileSync(file, text)
  const note = `port 8080 or 3000 is taken, so this is a copy of it on ${ports.join(' and ')}: ${directory}`
  return { directory, note }
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
export const containers = async (): Promise<Container[]> => {
  const ids = await run('docker', [
    'ps',
    '-aq',
    '--no-trunc',
    '--filter',
    `label=com.docker.compose.project=${composeProject}`,
  ])
  const list = ids.stdout.split('\n').filter((id) => id !== '')
  if (list.length === 0) return []
  const format =
    '{{index .Config.Labels "com.docker.compose.service"}} {{.Id}} {{.State.StartedAt}}'
  const { stdout } = await run('docker', ['inspect', '--format', format, ...list])
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [service = '', id = '', startedAt = ''] = line.split(' ')
      return { service, id, startedAt }
    })
    .sort((a, b) => (a.service < b.service ? -1 : 1))
}

/** The fence behind `stagely delete`: takes down what is left of the stack. */
export const composeDown = async (directory: string): Promise<void> => {
  await run('docker', [
    'compose',
    '-p',
    composeProject,
    '--project-directory',
    directory,
    'down',
    '--timeout',
    '5',
  ])
}
