// Names that need no project and no namespace, and the words that a shell completes.
import { execFile } from 'node:child_process'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
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

/** Print what the shell offers for each of the lines, in a line. $1 is the script of `stagely completion`. */
const drivers = {
  bash: `. "$1"; shift
for line; do
  read -ra COMP_WORDS <<<"$line"
  [[ $line != *' ' ]] || COMP_WORDS+=('')
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _stagely; echo "\${COMPREPLY[*]}"
done`,
  // A terminal within zsh. Tab puts all that is offered into the line; Ctrl-X prints the line, and empties it.
  zsh: `zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1= PS2=; . $1; all() { _main_complete; compstate[insert]=all }; zle -C all complete-word all
show() { print -r -- \\"<<\\$BUFFER>>\\"; BUFFER= }; zle -N show; bindkey '^I' all '^X' show; print RE''ADY"
zpty -r -m z shown '*READY*'
for line in "\${@[2,-1]}"; do
  zpty -w -n z "$line"$'\\t\\C-x'
  zpty -r -m z shown '*<<*>>*'
  print -r -- "\${\${shown##*<<}%%>>*}"
done`,
  fish: `source $argv[1]
for line in $argv[2..]
  echo (complete -C $line)
end`,
}

describe('completion', () => {
  const offered = async (shell: keyof typeof drivers, lines: string[]): Promise<string[]> => {
    const stagely = join(world.dir, 'stagely')
    await writeFile(stagely, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
    await chmod(stagely, 0o755)
    const [script, driver] = [join(world.dir, `of.${shell}`), join(world.dir, `driver.${shell}`)]
    await writeFile(script, await world.must('completion', shell))
    await writeFile(driver, drivers[shell])
    const env = {
      HOME: world.dir,
      TERM: 'xterm',
      STAGELY_SERVER: world.url,
      STAGELY_TOKEN_FILE: join(world.controllerDir, 'admin-token'),
      STAGELY_CA_FILE: join(world.controllerDir, 'ca.crt'),
      PATH: `${world.dir}:${process.env['PATH'] ?? ''}`,
    }
    const args = [driver, script, ...lines.map((line) => `stagely ${line}`)]
    const { stdout, stderr } = await promisify(execFile)(shell, args, { env, cwd: world.dir })
    expect(stderr).toBe('')
    return stdout.trimEnd().split('\n')
  }

  it.each(['bash', 'zsh', 'fish'] as const)(
    'in %s offers commands, kinds, objects, keys, projects, environments, flags and files',
    async (shell) => {
      const expected = {
        rot: 'rotation',
        'get stagelet': 'stagelets',
        'describe projects ': 'blog shop',
        'secrets get STR': 'STRIPE_KEY',
        'secrets list --project s': 'shop',
        'secrets set X --environment ': 'production',
        'secrets get --rev': '--reveal',
        // bash offers files by itself.
        ...(shell !== 'bash' && { [`apply -f driver.${shell.slice(0, 2)}`]: `driver.${shell}` }),
      }
      const read = async (): Promise<string[]> => {
        const lines = await offered(shell, Object.keys(expected))
        return lines.map((line, at) => {
          const asked = `stagely ${Object.keys(expected)[at]!}`
          const isWhole = line.startsWith('stagely ')
          return isWhole ? line.slice(asked.lastIndexOf(' ') + 1).trim() : line
        })
      }
      // A busy server answers later than a key waits.
      await eventually(read).toEqual(Object.values(expected))
    },
  )

  it('offers words alone, and no error, where no controller answers', async () => {
    const env = { STAGELY_SERVER: 'https://127.0.0.1:1', HOME: world.dir }
    const asked = promisify(execFile)(process.execPath, [main, '__complete', 'get', 'agents', ''], {
      env,
    })
    await expect(asked).resolves.toEqual({ stdout: '', stderr: '' })
  })
})
