// Names that need no project and no namespace, and the words that a shell completes.
import { execFile } from 'node:child_process'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main } from '../../support/programs/cli.ts'
import { startCommandWorld, type CommandWorld } from '../../support/programs/command-world.ts'

const object = (kind: string, name: string, spec: string, namespace = 'default'): string =>
  `apiVersion: stagely.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n`
const secret = (name: string, project: string, key: string): string =>
  object(
    'StagelySecret',
    name,
    `{projectRef: {name: ${project}}, key: ${key}, scope: global, value: canary-of-${name}}`,
  )

const manifests = [
  `apiVersion: v1\nkind: Namespace\nmetadata: {name: team-b}\n`,
  object('Project', 'shop', '{environments: [{name: production}]}'),
  object('Project', 'blog', '{}'),
  object('Project', 'wiki', '{}', 'team-b'),
  object('Agent', 'box', '{}'),
  secret('stripe', 'shop', 'STRIPE_KEY'),
  secret('db-of-shop', 'shop', 'DB_URL'),
  secret('db-of-blog', 'blog', 'DB_URL'),
].join('---\n')

let world: CommandWorld

beforeAll(async () => {
  world = await startCommandWorld()
  expect((await world.cliWith(manifests, 'apply', '-f', '-')).code).toBe(0)
})
afterAll(() => world?.stop())

describe('a key without --project', () => {
  it('is taken where one project has it', async () => {
    expect(await world.must('secrets', 'get', 'STRIPE_KEY')).toContain('STRIPE_KEY')
    expect(await world.must('secrets', 'get', 'STRIPE_KEY', '--reveal')).toContain(
      'canary-of-stripe',
    )
    expect(await world.must('secrets', 'history', 'STRIPE_KEY')).toContain('admin')
  })

  it('is refused where several have it, with their names, and where none has it with all', async () => {
    const several = await world.cli('secrets', 'get', 'DB_URL')
    expect(several.code).toBe(2)
    expect(several.stderr).toContain('--project: blog and shop have a secret DB_URL')
    const none = await world.cli('secrets', 'get', 'NO_SUCH')
    expect(none.stderr).toContain('--project: blog, shop')
  })

  it('is not guessed for a write that may be meant for another project', async () => {
    const { code, stderr } = await world.cliWith('new', 'secrets', 'set', 'STRIPE_KEY')
    expect(code).toBe(2)
    expect(stderr).toContain('say which project')
  })
})

describe('a name with -A', () => {
  it('is found in whichever namespace', async () => {
    for (const verb of ['get', 'describe'])
      expect(await world.must(verb, 'project', 'wiki', '-A')).toContain('wiki')
    const found = JSON.parse(await world.must('get', 'project', 'wiki', '-A', '-o', 'json')) as {
      metadata: { namespace: string }
    }
    expect(found.metadata.namespace).toBe('team-b')
    const missing = await world.cli('get', 'project', 'no-such', '-A')
    expect(missing.code).toBe(1)
    expect(missing.stderr).toContain('no namespace that this login sees has a project "no-such"')
  })
})

describe('completion', () => {
  /** What bash offers for the last of these words, by the script as it is printed. */
  const offered = async (...words: string[]): Promise<string[]> => {
    const stagely = join(world.dir, 'stagely')
    await writeFile(stagely, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
    await chmod(stagely, 0o755)
    const script = join(world.dir, 'completion.bash')
    await writeFile(script, await world.must('completion', 'bash'))
    const line = ['stagely', ...words].map((word) => `'${word}'`).join(' ')
    const ask = `. '${script}'; COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _stagely; printf '%s\\n' "\${COMPREPLY[@]}"`
    const env = {
      HOME: world.dir,
      STAGELY_SERVER: world.url,
      STAGELY_TOKEN_FILE: join(world.controllerDir, 'admin-token'),
      STAGELY_CA_FILE: join(world.controllerDir, 'ca.crt'),
    }
    const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-c', ask], {
      env: { ...env, PATH: `${world.dir}:${process.env['PATH'] ?? ''}` },
    })
    expect(stderr).toBe('')
    return stdout.split('\n').filter((word) => word !== '')
  }

  it('offers commands, kinds, objects, keys, projects and environments', async () => {
    expect(await offered('rot')).toEqual(['rotation'])
    expect(await offered('get', 'stageletes'.slice(0, 8))).toEqual(['stagelets'])
    expect(await offered('describe', 'projects', '')).toEqual(expect.arrayContaining(['blog']))
    expect(await offered('secrets', 'get', 'STR')).toEqual(['STRIPE_KEY'])
    expect(await offered('secrets', 'list', '--project', 's')).toEqual(['shop'])
    expect(await offered('secrets', 'set', 'X', '--environment', '')).toEqual(['production'])
    expect(await offered('secrets', 'get', '--rev')).toEqual(['--reveal'])
  })

  it('offers words alone, and no error, where no controller answers', async () => {
    const env = { STAGELY_SERVER: 'https://127.0.0.1:1', HOME: world.dir }
    const asked = promisify(execFile)(process.execPath, [main, 'complete', 'get', 'agents'], {
      env,
    })
    await expect(asked).resolves.toEqual({ stdout: '', stderr: '' })
  })
})
