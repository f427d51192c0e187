// What the command asks at a terminal, a real one: what it shows, what it keeps to itself, and what a
// person's answer does.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command as Parsed } from 'commander'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Command } from '../../../cli/options.ts'
import { eventually } from '../../support/eventually.ts'
import { main } from '../../support/programs/cli.ts'
import { startCommandWorld, type CommandWorld } from '../../support/programs/command-world.ts'
import {
  ctrlC,
  enter,
  openTerminal,
  runAtTerminal,
  type Session,
  type Step,
  type Terminal,
} from '../../support/programs/pty.ts'

let world: CommandWorld
let dir: string
let token: string
let terminal: Terminal

const environment = (): NodeJS.ProcessEnv => ({
  HOME: world.dir,
  STAGELY_SERVER: world.url,
  STAGELY_TOKEN: token,
  STAGELY_CA_FILE: join(world.controllerDir, 'ca.crt'),
})

/** In a process of its own. */
const alone = (args: readonly string[], ...steps: Step[]): Promise<Session> =>
  runAtTerminal(args, environment(), steps)

/** At the terminal of the other questions. */
const atTerminal = (args: readonly string[], ...steps: Step[]): Promise<Session> =>
  terminal.run(args, environment(), steps)

const valueOf = (key: string): Promise<string> => world.must('secrets', 'get', key, '--reveal')

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stagely-prompts-'))
  world = await startCommandWorld()
  await world.apply(
    'apiVersion: stagely.dev/v1alpha1\nkind: Project\nmetadata: {name: shop}\nspec: {}\n',
  )
  token = (await world.must('token', 'create', 'terminal')).trim()
  terminal = await openTerminal()
})
afterAll(async () => {
  terminal?.close()
  await world.stop()
  await rm(dir, { recursive: true, force: true })
})

describe('secrets set at a terminal', () => {
  it('asks for the value, does not show it, and stores what was typed', async () => {
    const typed = 'canary typed $1 "x" ü'
    const done = await alone(['secrets', 'set', 'TYPED'], {
      wait: 'Value of TYPED',
      keys: typed + enter,
    })
    expect([done.code, done.screen]).toEqual([0, expect.stringContaining('typed.global created')])
    expect(done.screen).not.toMatch(/canary|typed \$/)
    expect(await valueOf('TYPED')).toBe(typed)
  })

  it('stores nothing when it is interrupted', async () => {
    const done = await alone(['secrets', 'set', 'NEVER'], {
      wait: 'Value of NEVER',
      keys: `canary${ctrlC}`,
    })
    expect([done.code, done.screen]).toEqual([1, expect.stringContaining('nothing was changed')])
    expect(done.screen).not.toContain('canary')
    expect(await world.must('secrets', 'list', '-o', 'name')).not.toContain('never')
  })
})

describe('secrets import at a terminal', () => {
  it('shows names, asks, and writes only after a yes', async () => {
    const file = join(dir, '.env')
    await writeFile(file, 'TYPED=canary-other\nNEW_TOKEN=canary-new\n')
    const question = { wait: 'Import 2 of 2 secrets? [y/N] ' }
    for (const answer of ['', 'n', 'nay']) {
      const no = await atTerminal(['secrets', 'import', file], {
        ...question,
        keys: answer + enter,
      })
      expect([no.code, no.screen], answer).toEqual([
        1,
        expect.stringMatching(
          /^\+ NEW_TOKEN \(global\)\n~ TYPED \(global\) {2}changes\n[^]*was changed\./,
        ),
      ])
    }
    expect(await valueOf('TYPED')).toMatch(/^canary typed/)
    const yes = await atTerminal(['secrets', 'import', file], { ...question, keys: `y${enter}` })
    expect([yes.code, yes.screen]).toEqual([0, expect.stringContaining('2 secrets imported')])
    expect(yes.screen).not.toContain('canary')
    expect(await valueOf('TYPED')).toBe('canary-other')
  })
})

describe('secrets edit', () => {
  const editWith = async (program: string, ...steps: Step[]): Promise<Session> => {
    const script = join(dir, 'editor')
    await writeFile(script, `#!/bin/sh\necho "$1" >> ${join(dir, 'edited')}\n${program}\n`, {
      mode: 0o700,
    })
    const env = { ...environment(), EDITOR: script }
    return runAtTerminal(['secrets', 'edit', 'EDITED', '-m', 'by hand'], env, steps)
  }

  it('writes what the editor left, and nothing where that is as before', async () => {
    const before = 'canary-before'
    await writeFile(join(dir, 'before'), before)
    await world.must('secrets', 'set', 'EDITED', '--from-file', join(dir, 'before'))
    const same = await editWith('echo >> "$1"')
    expect([same.code, same.screen]).toEqual([0, expect.stringContaining('nothing was changed')])
    const failed = await editWith('echo lost > "$1"; exit 3')
    expect([failed.code, failed.screen]).toEqual([1, expect.stringContaining('ended with 3')])
    const empty = await editWith(': > "$1"')
    expect([empty.code, empty.screen]).toEqual([2, expect.stringContaining('is empty')])
    expect(await valueOf('EDITED')).toBe(before)
    const changed = await editWith('echo canary-edited > "$1"')
    expect([changed.code, changed.screen]).toEqual([0, expect.stringContaining('configured')])
    expect(changed.screen).not.toContain('canary')
    expect(await valueOf('EDITED')).toBe('canary-edited')
    await eventually(() => world.must('secrets', 'history')).toContain('by hand')
  })

  it('does not overwrite what somebody else wrote meanwhile, and opens the editor again', async () => {
    const other = `${process.execPath} ${main} secrets set EDITED --from-file ${join(dir, 'other')}`
    await writeFile(join(dir, 'other'), 'canary-of-another')
    const lost = await editWith(`${other} >/dev/null; echo mine > "$1"`, {
      wait: 'Edit it again? [y/N] ',
      keys: enter,
    })
    expect([lost.code, lost.screen]).toEqual([1, expect.stringContaining('Nothing was changed.')])
    expect(await valueOf('EDITED')).toBe('canary-of-another')
  })

  it('keeps the value in memory, in a folder of this user alone, and removes it', async () => {
    const paths = (await readFile(join(dir, 'edited'), 'utf8')).trim().split('\n')
    expect(paths).toHaveLength(5)
    expect(paths.filter((path) => !/^\/(dev\/shm|run\/user\/\d+)\//.test(path))).toEqual([])
    expect(paths.filter((path) => existsSync(path))).toEqual([])
  })

  it('needs a terminal', async () => {
    const unasked = await world.cli('secrets', 'edit', 'EDITED')
    expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining('needs a terminal')])
  })
})

describe('what takes something away', () => {
  it('asks first, says what it would do, and does nothing without a yes', async () => {
    await world.must('admin', 'user', 'create', 'leaver', '--email', 'leaver@example.com')
    await world.must('admin', 'team', 'add', 'default', 'leaver', '--role', 'viewer')
    const secrets: [string[], string][] = [
      [['delete', 'NEW_TOKEN'], 'Delete NEW_TOKEN of scope global (no service sees it)? [y/N] '],
      [
        ['purge', 'NEW_TOKEN'],
        'Erase NEW_TOKEN (global, in use) with all its versions, for good? [y/N] ',
      ],
      [
        ['rollback', 'TYPED', '--to-version', '1'],
        'Put version 1 of TYPED (global) back over 2? [y/N] ',
      ],
      [['rollback', '--to-revision', '0'], 'Make project shop what it was at revision 0? [y/N] '],
    ]
    const asked: [string[], string][] = [
      ...secrets.map(([args, wait]): [string[], string] => [['secrets', ...args], wait]),
      [
        ['admin', 'user', 'delete', 'leaver@example.com'],
        'Delete user leaver (in team default), with every token? [y/N] ',
      ],
      [
        ['admin', 'audit', 'erase', 'leaver'],
        'Put a pseudonym in place of leaver in the whole log, for good? [y/N] ',
      ],
    ]
    for (const [args, wait] of asked) {
      const no = await atTerminal(args, { wait, keys: enter })
      expect([no.code, no.screen], args.join(' ')).toEqual([
        1,
        expect.stringContaining('Nothing was changed.'),
      ])
      // Where nobody can be asked, the question itself says what to do.
      const unasked = await world.cli(...args)
      expect([unasked.code, unasked.stderr], args.join(' ')).toEqual([
        2,
        expect.stringContaining(
          `error: ${wait.replace('[y/N] ', '')}Nobody can be asked here (no terminal): give --yes to go on\n`,
        ),
      ])
    }
    expect(await valueOf('NEW_TOKEN')).toBe('canary-new')
    const yes = await atTerminal(['secrets', 'delete', 'NEW_TOKEN'], {
      wait: '[y/N] ',
      keys: `yes${enter}`,
    })
    expect([yes.code, yes.screen]).toEqual([
      0,
      expect.stringContaining('"new-token.global" deleted'),
    ])
    // How long for: before the question, and with the answer.
    expect(yes.screen).toMatch(/be restored for 7 days: .*[^]*\[y\/N\][^]*restored until 20\d\d-/)
    expect(await world.must('secrets', 'list', '-o', 'name')).not.toContain('new-token.global')
  })
})

/** Each command that is marked as one that takes something away, with what it is told here. */
const taking: Record<string, readonly string[]> = {
  delete: ['project', 'shop'],
  'secrets delete': ['TYPED'],
  'secrets purge': ['TYPED'],
  'secrets rollback': ['TYPED', '--to-version', '1'],
  'rollout undo': ['shop', '--to-revision', '0'],
  'agent revoke': ['web-1'],
  'token revoke': ['terminal'],
  'sessions revoke': ['7b1f6c0e-2a57-4a35-9c54-0d9a5d2f3b11'],
  'admin user delete': ['leaver@example.com'],
  'admin audit erase': ['leaver'],
  'access break-glass': ['-p', 'shop', '--reason', 'it is down'],
}

describe('every command that takes something away', () => {
  /** Without what reconcilers write by themselves. */
  const declared = async (...args: string[]): Promise<string> =>
    JSON.stringify(JSON.parse(await world.must(...args, '-o', 'json')), (name, value: unknown) =>
      name === 'status' || name === 'resourceVersion' ? undefined : value,
    )
  const readAll = async (): Promise<string[]> => [
    await declared('get', 'stagely'),
    await declared('get', 'namespaces'),
    ...(await Promise.all(
      [
        ['secrets', 'history', 'TYPED', '-p', 'shop', '-o', 'json'],
        ['secrets', 'restore', '-p', 'shop', '-o', 'json'],
        ['get', 'tokens', '-o', 'name'],
        ['get', 'users', '-o', 'json'],
      ].map((args) => world.must(...args)),
    )),
  ]

  beforeAll(async () => {
    await world.must('agent', 'token', 'create', '--name', 'web-1')
    const stagelet = (name: string): string =>
      `apiVersion: stagely.dev/v1alpha1\nkind: Stagelet\nmetadata: {name: ${name}}\nspec: {projectRef: {name: other}, agentRef: {name: web-1}, compose: {directory: /srv/${name}}, deletionPolicy: Down, deleteVolumes: true}\n`
    await world.apply(
      `apiVersion: stagely.dev/v1alpha1\nkind: Project\nmetadata: {name: other}\nspec: {}\n---\n${stagelet('one')}---\n${stagelet('two')}`,
    )
  })

  it('is known here', async () => {
    const folder = new URL('../../../cli/commands/', import.meta.url)
    const files = (await readdir(folder, { recursive: true })).filter((name) =>
      /^[^.]+\.ts$/.test(name),
    )
    const marked: string[] = []
    const walk = (command: Parsed, path: string): void => {
      if (command instanceof Command && command.isAsking) marked.push(path)
      for (const child of command.commands) walk(child, `${path} ${child.name()}`)
    }
    for (const file of files) {
      const { command } = (await import(`../../../cli/commands/${file}`)) as {
        command: () => Command
      }
      const made = command()
      walk(made, made.name())
    }
    expect(marked.sort()).toEqual(Object.keys(taking).sort())
  })

  it('does nothing where nobody can be asked, and says what would go along', async () => {
    const before = await readAll()
    const more = {
      ...taking,
      'delete ': ['stagelet', 'one', '--force'],
      'delete  ': ['agent', 'web-1'],
      'delete   ': ['-n', 'default', 'secrets', '--all'],
    }
    for (const [path, args] of Object.entries(more)) {
      const words = [...path.trim().split(' '), ...args]
      if (!args.includes('-p') && path.startsWith('secrets')) words.push('-p', 'shop')
      const ran = await world.cli(...words)
      expect([ran.code, ran.stdout.includes('deleted'), ran.stderr], words.join(' ')).toEqual([
        2,
        false,
        expect.stringMatching(/[^]+give --yes to go on\n$/),
      ])
    }
    expect(await readAll()).toEqual(before)
  })

  it('holds for the programs of a machine too', async () => {
    const kept = join(dir, 'kept')
    await mkdir(kept, { recursive: true })
    await writeFile(join(kept, 'some.backup'), '')
    const units = ['--unit-dir', join(dir, 'units')]
    const flags = ['--data-dir', kept]
    for (const args of [
      ['agent', 'uninstall', '--purge', ...flags, ...units],
      ['controller', 'uninstall', '--purge', ...flags, ...units],
      ['restore', join(kept, 'some.backup'), '--force', ...flags],
    ]) {
      const ran = await world.cli(...args)
      expect([ran.code, ran.stderr], args.join(' ')).toEqual([
        2,
        expect.stringContaining('give --yes to go on'),
      ])
      expect(await readdir(kept), args.join(' ')).toEqual(['some.backup'])
    }
  })

  it('says the command that brings back what went, of each project', async () => {
    const team = ['-n', 'team-c']
    await world.must('admin', 'team', 'create', 'team-c')
    for (const project of ['gone', 'kept'])
      await world.apply(
        `apiVersion: stagely.dev/v1alpha1\nkind: Project\nmetadata: {name: ${project}, namespace: team-c}\nspec: {}\n---\napiVersion: stagely.dev/v1alpha1\nkind: StagelySecret\nmetadata: {name: back.${project}, namespace: team-c}\nspec: {projectRef: {name: ${project}}, key: BACK, scope: global, value: comes-back}\n`,
      )
    const ran = await world.cli('delete', 'projects', '--all', ...team, '--yes')
    const remedies = [...ran.stderr.matchAll(/restored until 20\S+: "stagely ([^"]+)"/g)]
    expect([ran.code, remedies.length]).toEqual([0, 2])
    // Without --all nothing can be listed: that is said.
    const list = await world.cli('secrets', 'restore', '--project', 'gone', ...team)
    expect([list.code, list.stderr]).toEqual([1, expect.stringContaining('restore --all')])
    for (const [, command = ''] of remedies) await world.must(...command.split(' '))
    for (const project of ['gone', 'kept'])
      expect(await world.must('secrets', 'get', 'BACK', '-p', project, ...team, '--reveal')).toBe(
        'comes-back',
      )
    await world.must('secrets', 'delete', 'BACK', '-p', 'kept', ...team, '--yes')
    const all = ['secrets', 'restore', '--all', '-p', 'kept', ...team, '-o', 'json']
    expect(JSON.parse(await world.must(...all))).toMatchObject([{ key: 'BACK', version: 3 }])
    expect(await world.cli(...all)).toMatchObject({
      code: 1,
      stderr: 'error: no deleted secret of project kept can be restored\n',
    })
    const none = await world.cli('delete', 'project', 'never', ...team)
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('NotFound')])
  })

  it('tells whose volumes go, which agent is left, and refuses what stagelets use', async () => {
    const volumes = await world.cli('delete', 'stagelet', 'one')
    expect(volumes.stderr).toContain('with its volumes: their data is lost')
    const revoke = await world.cli('agent', 'revoke', 'web-1')
    expect(revoke.stderr).toContain('nothing looks after one, two any more')
    const project = await world.cli('delete', 'project', 'other', '--yes')
    expect([project.code, project.stderr]).toEqual([
      1,
      expect.stringMatching(/in use by stagelets one, two: delete them first/),
    ])
    for (const args of [
      ['delete', 'namespace', 'team-b', '--yes'],
      ['delete', 'namespace', 'team-b', '--yes', '--cascade'],
    ]) {
      await world.cli('admin', 'team', 'create', 'team-b')
      await world.apply(
        `apiVersion: stagely.dev/v1alpha1\nkind: Project\nmetadata: {name: p, namespace: team-b}\nspec: {}\n---\napiVersion: stagely.dev/v1alpha1\nkind: Stagelet\nmetadata: {name: s, namespace: team-b}\nspec: {projectRef: {name: p}, agentRef: {name: web-2}, compose: {directory: /srv/s}}\n`,
      )
      const ran = await world.cli(...args)
      expect([ran.code, ran.stderr], args.join(' ')).toEqual(
        args.includes('--cascade')
          ? [0, expect.any(String)]
          : [1, expect.stringContaining('or take them along with --cascade')],
      )
    }
  })
})

describe('run at a terminal', () => {
  it('hands the terminal over: ctrl-C reaches the command once, and its answer counts', async () => {
    const script = `trap 'echo caught; exit 5' INT; test -t 0 && echo ready; while :; do sleep 0.1; done`
    const done = await alone(['run', '-p', 'shop', '--', 'sh', '-c', script], {
      wait: 'ready',
      keys: ctrlC,
    })
    expect([done.code, done.screen.match(/caught/g)]).toEqual([5, ['caught']])
  })
})
