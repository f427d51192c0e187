// What the agent makes of a user's files, as the real Compose reads them: old and new.
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createModelSource } from '../../../agent/borders/model-source.ts'
import type { ComposeModel } from '../../../agent/compose/compose-model.ts'
import { baseEnvironment } from '../../../src/compose/environment.ts'
import { composeAt } from '../../support/docker/compose-at.ts'
import { newerCompose } from '../../support/docker/newer-compose.ts'
import { shortGo } from '../../support/short-go.ts'
import { soak } from '../../support/soak.ts'
import { forStack, noImages, noMounts, tmpBorders } from '../../support/agents/allowed-folders.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

interface Files {
  readonly write: (files: Record<string, string>) => Promise<void>
  readonly read: (
    globals?: Record<string, string>,
    variables?: readonly string[],
    mask?: (text: string) => string,
  ) => Promise<ComposeModel>
}

const env = { ...baseEnvironment(process.env), ...shortGo }

const openFiles = async (binary: () => Promise<string | undefined>): Promise<Files> => {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'stagely-model-')))
  folders.push(directory)
  const spec = { directory, projectName: 'shop', onChange: 'Hold' as const }
  const models = createModelSource(await composeAt(await binary()), tmpBorders, noMounts, noImages)
  return {
    write: async (files) => {
      for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
    },
    read: async (globals = {}, variables = [], mask = (text) => text) => {
      const request = { spec: { ...spec, variables: [...variables] }, base: env, globals }
      const result = await models.read({ ...forStack, ...request, mask })
      if ('fault' in result) throw new Error(`${result.fault.reason}: ${result.fault.message}`)
      return result.model
    },
  }
}

const web = (more: string): string => `services:\n  web:\n    image: x\n${more}  db: {image: x}\n`

/** The newer one is asked for what 2.26.1 and 2.40.3 tell alike only in the long form. */
const versions: [name: string, binary: () => Promise<string | undefined>, isWhole: boolean][] = [
  ['the machine’s Compose', () => Promise.resolve(undefined), true],
  ['a newer Compose', newerCompose, soak(0, 1) === 1],
]

describe.each(versions)('with %s, a stack', (_name, binary, isWhole) => {
  const alike = <T>(cases: readonly T[]): readonly T[] => (isWhole ? cases : [])
  const read = async (texts: Record<string, string>): Promise<ComposeModel> => {
    const files = await openFiles(binary)
    await files.write(texts)
    return await files.read()
  }

  type FilledIn = [what: string, compose: string]
  // Each is right for `up`, and refused by `config --no-interpolate` of one Compose or of both.
  const filledInOtherwise: FilledIn[] = [
    ['mode of a volume after a default', web('    volumes: ["${DATA:-./data}:/data:ro"]\n')],
    ['pull policy', web('    pull_policy: ${PULL:-missing}\n')],
    ['bound address', web('    ports: [{target: 80, host_ip: "${IP:-127.0.0.1}"}]\n')],
  ]
  const filledIn: FilledIn[] = [
    ['condition', web('    depends_on: {db: {condition: "${WHEN:-service_started}"}}\n')],
    ['limit', web('    ulimits: {nproc: "${MOST:-100}"}\n')],
    ['file that is extended', web('    extends: {file: "${BASE:-base.yml}", service: base}\n')],
    ['file that is included', `${web('')}include: ["\${PART:-part.yml}"]\n`],
    ['external volume', `${web('')}volumes: {data: {external: "\${OUTSIDE:-false}"}}\n`],
  ]
  it.each([...filledInOtherwise, ...alike(filledIn)])(
    'has its services where a variable says the %s',
    async (_what, compose) => {
      const { services, missingVariables } = await read({
        'compose.yml': compose,
        'base.yml': 'services: {base: {image: x}}\n',
        'part.yml': 'services: {part: {image: x}}\n',
      })
      expect(services.map((s) => s.name)).toEqual(expect.arrayContaining(['db', 'web']))
      expect(missingVariables).toEqual([])
    },
  )

  it('is what its variables make of it', async () => {
    const { services } = await read({
      'compose.yml': `services:
  web:
    image: x
    container_name: \${NAME}
    network_mode: service:\${PEER}
    depends_on: {db: {condition: "\${WHEN:-service_healthy}", restart: "\${AGAIN:-true}"}}
    environment: ["\${KEY:-MADE}=1", BARE]
  db: {image: x, deploy: {replicas: "\${COUNT}"}, env_file: "\${FILE}"}
`,
      '.env': 'NAME=the-web\nPEER=db\nCOUNT=3\nFILE=db.env\n',
      'db.env': 'INSIDE=a$$b\n',
    })
    expect(services).toMatchObject([
      { name: 'db', scale: 3, variables: ['INSIDE'] },
      {
        name: 'web',
        containerName: 'the-web',
        sharesWith: ['db'],
        dependsOn: ['db'],
        waitsFor: [{ service: 'db', until: 'healthy' }],
        restartsAfter: ['db'],
        variables: ['BARE', 'MADE'],
      },
    ])
  })

  it('is known where an env_file is missing, by what needs no variable', async () => {
    const { services } = await read({
      'compose.yml': web('    env_file: gone.env\n    depends_on: [db]\n    environment: {A: 1}\n'),
    })
    expect(services).toMatchObject([
      { name: 'db' },
      { name: 'web', dependsOn: ['db'], variables: ['A'] },
    ])
    expect(services[1]?.envFiles).toEqual([expect.stringMatching(/\/gone\.env$/)])
  })

  it.each(['web.env', 'settings'])(
    'is read anew when its env_file %s comes, or changes',
    async (name) => {
      const files = await openFiles(binary)
      const variables = async (): Promise<readonly string[] | undefined> =>
        (await files.read()).services[1]?.variables
      await files.write({ 'compose.yml': web(`    env_file: ${name}\n`) })
      expect(await variables()).toEqual([])
      await files.write({ [name]: 'ONE=1\n' })
      expect(await variables()).toEqual(['ONE'])
      await files.write({ [name]: 'ONE=1\nTWO=2\n' })
      expect(await variables()).toEqual(['ONE', 'TWO'])
    },
  )

  const files = {
    'base.yml': 'services: {base: {image: x}}\n',
    'part.yml': 'services: {part: {image: x}}\n',
    'web.env': 'A=1\n',
  }
  const filled = async (
    compose: string,
    given: { value?: string; listed?: string[] } = {},
  ): Promise<ComposeModel> => {
    const opened = await openFiles(binary)
    await opened.write({ ...files, 'compose.yml': compose })
    return await opened.read({ KEY: given.value ?? '/', UNNAMED: '/' }, given.listed)
  }

  type Refusing = [field: string, compose: string, value?: string]
  // A developer writes secrets, and no stagelet: none of these is his to choose.
  const refusingOtherwise: Refusing[] = [
    ['services.web.volumes', web('    volumes: ["${KEY:-./data}:/data"]\n')],
    ['services.web.volumes', web('    volumes: ["./a:/a${KEY:+:ro}"]\n')],
    ['services.web.env_file', web('    env_file: [{path: "${KEY:-web.env}", required: false}]\n')],
  ]
  const refusing: Refusing[] = [
    ['services.web.privileged', web('    privileged: ${KEY:-false}\n'), 'true'],
    [
      'services.web.image',
      web('    labels: {a: "${KEY:?}"}\n').replace('image: x', 'image: "x${KEY}"'),
    ],
    ['services.web.command', web('    command: echo $KEY\n')],
    ['services.web.labels', web('    labels: {a: "${KEY}"}\n')],
    ['services.web.user', web('    user: "${KEY:-1000}"\n'), '0'],
    ['services.web.devices', web('    devices: ["${KEY:-/dev/null}:/dev/x"]\n')],
    ['services.web.cap_add', web('    cap_add: ["${KEY:-CHOWN}"]\n'), 'ALL'],
    ['services.web.network_mode', web('    network_mode: ${KEY:-none}\n'), 'host'],
    ['services.web.pid', web('    pid: "${KEY}"\n'), 'host'],
    ['services.web.security_opt', web('    security_opt: ["${KEY:-no-new-privileges}"]\n'), 'a:b'],
    ['services.web.environment', web('    environment: ["${KEY:-A}=1"]\n'), 'LD_PRELOAD'],
    ['services.web.build', web('    build: {context: ., args: [KEY]}\n')],
    ['secrets.s.environment', `${web('    secrets: [s]\n')}secrets: {s: {environment: KEY}}\n`],
    [
      'volumes.vol.driver_opts',
      `${web('    volumes: ["vol:/v"]\n')}volumes: {vol: {driver_opts: {device: "\${KEY}"}}}\n`,
    ],
    ['networks.n.name', `${web('    networks: [n]\n')}networks: {n: {name: "\${KEY:-n}"}}\n`],
    ['its files', web('    extends: {file: "${KEY:-base.yml}", service: base}\n')],
    ['its files', `${web('')}include: ["\${KEY:-part.yml}"]\n`],
    ['services.web.ports', web('    ports: ["${KEY:-80}:80"]\n'), '8080'],
  ]
  it.each([...refusingOtherwise, ...alike(refusing)])(
    'is refused where a secret that is not listed fills %s',
    async (field, compose, value = '/') => {
      const refused = filled(compose, { value })
      await expect(refused).rejects.toThrow(/^VariableNotListed: /)
      const { message } = (await refused.catch((error: unknown) => error)) as Error
      expect(message).toMatch(new RegExp(`KEY in (services\\.web\\.\\w+, KEY in )*${field}`))
      expect(message).toContain('spec.compose.variables: [KEY]')
      expect(message).not.toMatch(/stagelymark/)
    },
  )

  const allowing: [what: string, compose: string][] = [
    ['its value', web('    environment: {A: "${KEY}", B: "x-${KEY:-y}"}\n')],
    ['whether it is there', web('    environment: ["A=${KEY:+yes}", "B=${KEY:?needed}"]\n')],
    ['its name alone', web('    environment: [KEY]\n')],
    ['an anchor', `x-all: &all {A: "\${KEY}"}\n${web('    environment: *all\n')}`],
    ['a default of another', web('    environment: {A: "${OTHER:-${KEY}}"}\n')],
  ]
  it.each(alike(allowing))(
    'is filled by a secret where that makes a variable of a container: %s',
    async (_what, compose) => {
      expect((await filled(compose)).variables).toEqual(['KEY'])
    },
  )

  it('is filled by a secret in an env_file, and anywhere by one that is listed', async () => {
    const opened = await openFiles(binary)
    await opened.write({ 'compose.yml': web('    env_file: set\n'), set: 'A=${KEY}\n' })
    expect((await opened.read({ KEY: '/', UNNAMED: '/' })).variables).toEqual(['KEY'])
    const model = await filled(web('    volumes: ["${KEY}:/data:ro"]\n'), { listed: ['KEY'] })
    expect(model.variables).toEqual(['KEY'])
    expect('mounts' in model.mounts && model.mounts.mounts.get('web')?.binds[0]?.source).toBe('/')
  })

  const refusal = /^VariableNotListed: .*(KEY|OTHER) in /

  it('is refused where a secret chooses a file by way of the .env, whatever is hidden in what Compose says', async () => {
    const opened = await openFiles(binary)
    await opened.write({
      'compose.yml': web('    env_file: ${FILE}\n    environment: {A: "${KEY}"}\n'),
      'web.env': 'A=1\n',
      '.env': 'FILE=${KEY:-web.env}\n',
    })
    // As where another secret has the text of the mark.
    const mask = (text: string): string => text.replaceAll(/stagelymark\w+/g, '***')
    await expect(opened.read({ KEY: '/etc/passwd' }, [], mask)).rejects.toThrow(refusal)
  })

  it('is looked into again where another value of a listed secret lets others fill more', async () => {
    const opened = await openFiles(binary)
    const volume = '${KEY:-./data}${KEY:+${OTHER}}:/data'
    const compose = web(`    volumes: ["${volume}"]\n    environment: {A: "\${OTHER}"}\n`)
    await opened.write({ 'compose.yml': compose })
    expect((await opened.read({ KEY: '', OTHER: '/' }, ['KEY'])).variables).toContain('OTHER')
    await expect(opened.read({ KEY: '.', OTHER: '/../..' }, ['KEY'])).rejects.toThrow(refusal)
  })

  it('is refused where a secret that an env_file names fills a file that no path tells for one', async () => {
    const opened = await openFiles(binary)
    await opened.write({
      'compose.yml': `${web('    env_file: settings\n')}include: [part]\n`,
      part: 'services: {part: {image: x, volumes: ["${KEY:-./data}:/data"]}}\n',
      settings: 'A=${KEY}\n',
    })
    await expect(opened.read({ KEY: '/' })).rejects.toThrow(refusal)
  })

  it('is refused where a secret fills a service whose profile is off, which a person may run by hand', async () => {
    const tools = '  tools: {image: "x:${KEY}", profiles: [tools]}\n'
    const used = web('    environment: {A: "${KEY}"}\n')
    await expect(filled(used + tools)).rejects.toThrow(
      /^VariableNotListed: .*KEY in services\.tools\.image/,
    )
    expect((await filled(used + tools, { listed: ['KEY'] })).variables).toEqual(['KEY'])
    // Compose takes both together for no stack: they have one name.
    const twins = ['cpu', 'gpu'].map(
      (n) =>
        `  ${n}: {image: x, container_name: one, profiles: [${n}], environment: {A: "\${KEY}"}}\n`,
    )
    expect((await filled(used + twins.join(''))).variables).toEqual(['KEY'])
    const hidden = twins.join('').replace('image: x', 'image: "x:${KEY}"')
    await expect(filled(used + hidden)).rejects.toThrow(refusal)
  })

  it('is refused where a secret chooses the profiles', async () => {
    const opened = await openFiles(binary)
    const debug = '  debug: {image: x, privileged: true, profiles: [debug]}\n'
    for (const profiles of ['${LEVEL}', '"\nother,${LEVEL}"', '"a\\"\n${LEVEL}"']) {
      await opened.write({
        'compose.yml': `${web('    env_file: .env\n')}${debug}`,
        '.env': `LEVEL=\${KEY:-}\nCOMPOSE_PROFILES=${profiles}\n`,
      })
      await expect(opened.read({ KEY: 'debug' })).rejects.toThrow(refusal)
    }
  })

  it('leaves out a secret that the files only mention', async () => {
    expect((await filled(`${web('')}# KEY\n`)).variables).toEqual([])
  })
})
