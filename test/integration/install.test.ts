// Services of a machine: units that systemd accepts, without a secret in them, and an agent that works
// with nothing but what its unit leaves it.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { itAsRoot } from '../support/as-root.ts'
import { startCommandWorld, type CommandWorld } from '../support/programs/command-world.ts'
import { runCli, spawnProgram, type Program } from '../support/programs/processes.ts'
import { newFilesRoot } from '../support/files.ts'
import { projectYaml } from '../support/shop.ts'
import { createStack, idleService, type Stack } from '../support/docker/stack.ts'

const run = promisify(execFile)
const masterKey = Buffer.alloc(32, 3).toString('base64')

/** Overall exposure as systemd rates it: 0 is best, 10 worst. */
const exposureOf = async (unit: string): Promise<number> => {
  const { stdout } = await run('systemd-analyze', ['security', '--offline=yes', unit])
  return Number(/Overall exposure level for [^:]*: ([\d.]+)/.exec(stdout)?.[1])
}

const settingsOf = (unit: string): Record<string, string> =>
  Object.fromEntries(
    unit
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )

describe('the services of a machine', () => {
  let dir: string
  let world: CommandWorld
  let stack: Stack
  let token: string
  let agent: Program | undefined
  const place = (name: string): string => join(dir, name)
  const agentUnit = (): string => place('units/stagely-agent.service')
  const controllerUnit = (): string => place('units/stagely-controller.service')
  const filesDir = newFilesRoot()
  const agentFlags = (): string[] => [
    ...['--unit-dir', place('units'), '--data-dir', place('agent')],
    ...['--files-dir', filesDir, '--allow-dir', stack.directory],
  ]
  const controllerFlags = (): string[] => [
    ...['--unit-dir', place('units'), '--environment-file', place('controller.env')],
    ...['--listen', '0.0.0.0:443', '--user', 'daemon'],
  ]

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'stagely-install-'))
    await mkdir(place('units'))
    stack = await createStack(
      `services:\n${idleService('web', '    volumes: ["./key.pem:/key.pem"]\n')}`,
    )
    world = await startCommandWorld()
    token = (await world.must('agent', 'token', 'create', '--name', 'box')).trim()
  })
  afterAll(async () => {
    await agent?.kill('SIGKILL')
    await rm(filesDir, { recursive: true, force: true })
    await world?.stop()
    await stack?.remove()
    await rm(dir, { recursive: true, force: true })
  })

  it('are only shown with --dry-run', async () => {
    const shown = await runCli(['agent', 'install', '--dry-run', ...agentFlags()], {})
    expect(shown.code).toBe(0)
    expect(shown.stdout).toMatch(/^\[Unit\]\n/)
    expect(shown.stderr).toMatch(/stagely-agent.service would be created; nothing was written/)
    const controller = await runCli(
      ['controller', 'install', '--dry-run', ...controllerFlags()],
      {},
    )
    expect(controller.code).toBe(0)
    expect(await readdir(place('units'))).toEqual([])
  })

  it('name every fault of the flags, and want a token where nobody has joined', async () => {
    const bad = await runCli(
      ['controller', 'install', '--listen', 'nowhere', '--user', 'a b', '--frobnicate'],
      {},
    )
    expect(bad.code).toBe(2)
    const closed = await runCli(
      [
        'controller',
        'install',
        '--unit-dir',
        place('units'),
        '--data-dir',
        '/srv/data',
        '--manifests',
        place('no'),
      ],
      {},
    )
    expect(closed.code).toBe(2)
    expect(closed.stderr).toMatch(/--data-dir \/srv\/data is not a folder in \/var\/lib/)
    expect(closed.stderr).toMatch(/cannot read .*\/no/)
    const anywhere = await runCli(['agent', 'install', '--dry-run'], {})
    expect(anywhere.code).toBe(2)
    expect(anywhere.stderr).toMatch(/^name the folders that stacks may lie in: --allow-dir DIR/)
    const unjoined = await runCli(['agent', 'install', ...agentFlags()], {})
    expect(unjoined.code).toBe(2)
    expect(unjoined.stderr).toMatch(/--join-file/)
    const argv = await runCli(['agent', 'install', '--join', token, ...agentFlags()], {})
    expect(argv.code).toBe(2)
    expect(argv.stderr).not.toContain(token)
    expect(await readdir(place('units'))).toEqual([])
  })

  it('are written by the first install, which joins; a second one changes nothing', async () => {
    const first = await runCli(['agent', 'install', '--join-file', '-', ...agentFlags()], {}, token)
    expect(first).toMatchObject({ code: 0 })
    expect(first.stdout).toMatch(/joined: agent default\/box of https/)
    expect(first.stdout).toMatch(/stagely-agent.service created/)
    const before = await stat(agentUnit())
    const second = await runCli(['agent', 'install', ...agentFlags()], {})
    expect(second).toMatchObject({ code: 0 })
    expect(second.stdout).toMatch(/joined already: agent default\/box/)
    expect(second.stdout).toMatch(/stagely-agent.service unchanged/)
    expect((await stat(agentUnit())).mtimeMs).toBe(before.mtimeMs)
    const third = await runCli(['agent', 'install', '--no-file-cache', ...agentFlags()], {})
    expect(third.stdout).toMatch(/stagely-agent.service changed/)
    await runCli(['agent', 'install', ...agentFlags()], {})
  })

  it('hold no secret: the controller’s are in a file of root, which is never written over', async () => {
    const env = { STAGELY_SECRET_KEY: masterKey, STAGELY_TOKEN: 'sat_of-a-person' }
    expect(await runCli(['controller', 'install', ...controllerFlags()], env)).toMatchObject({
      code: 0,
    })
    expect((await stat(place('controller.env'))).mode & 0o777).toBe(0o600)
    const written = await readFile(place('controller.env'), 'utf8')
    expect(written).toContain(`STAGELY_SECRET_KEY="${masterKey}"`)
    expect(written).not.toContain('sat_of-a-person')
    await writeFile(place('controller.env'), `${written}# mine\n`)
    const again = await runCli(['controller', 'install', ...controllerFlags()], {
      STAGELY_SECRET_KEY: Buffer.alloc(32, 4).toString('base64'),
    })
    expect(again.stdout).toMatch(/controller.env kept/)
    expect(again.stderr).toMatch(/STAGELY_SECRET_KEY as set now were not taken/)
    expect(await readFile(place('controller.env'), 'utf8')).toBe(`${written}# mine\n`)
    for (const unit of [agentUnit(), controllerUnit()]) {
      const text = await readFile(unit, 'utf8')
      for (const secret of [masterKey, token, 'sjt_']) expect(text).not.toContain(secret)
    }
  })

  itAsRoot('are accepted by systemd, and rated as well hardened', async () => {
    for (const unit of [agentUnit(), controllerUnit()]) {
      const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', unit])
      expect(stdout + stderr).not.toMatch(/stagely/)
    }
    expect(await exposureOf(agentUnit())).toBeLessThan(3)
    expect(await exposureOf(controllerUnit())).toBeLessThan(2.5)
  })

  itAsRoot(
    'leave the agent what it needs: read-only disks, four capabilities, file secrets with owners',
    async () => {
      await writeFile(join(stack.directory, 'key.pem'), 'of the user')
      await stack.keepTree()
      const settings = settingsOf(await readFile(agentUnit(), 'utf8'))
      const capabilities = settings['CapabilityBoundingSet']!.split(' ')
      const bounding = ['-all', ...capabilities.map((c) => `+${c.slice(4).toLowerCase()}`)].join(
        ',',
      )
      await mkdir(filesDir, { mode: 0o700 })
      // As ProtectSystem=strict does it: everything is read-only but what the unit names.
      const sandbox = `set -e
for folder in '${place('agent')}' '${filesDir}'; do mount --bind "$folder" "$folder"; done
for at in / /run /tmp; do mountpoint -q $at && mount -o remount,bind,ro $at; done
! touch /etc/stagely-test 2>/dev/null
exec setpriv --no-new-privs --bounding-set=${bounding} --inh-caps=-all ${settings['ExecStart']!}`
      agent = await spawnProgram(
        { file: 'unshare', args: ['--mount', '--propagation', 'private', 'sh', '-c', sandbox] },
        {},
        'connected',
      )
      await world.apply(`${projectYaml()}---
apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata: {name: key.web}
spec:
  projectRef: {name: shop}
  key: KEY
  scope: web
  type: file
  value: "a value of a file"
  file: {path: key.pem, mode: "0440", uid: 1234, gid: 4321}
---
apiVersion: stagely.dev/v1alpha1
kind: Stagelet
metadata: {name: shop}
spec:
  projectRef: {name: shop}
  agentRef: {name: box}
  compose: {directory: ${stack.directory}, projectName: ${stack.project}}
`)
      await world.must(
        'wait',
        '--for=condition=SecretsInSync',
        'stagelet/shop',
        '--timeout',
        '120s',
      )
      const { id } = (await stack.containers())['web']!
      const seen = await stack.docker('exec', id, 'sh', '-c', 'cat /key.pem; stat -c " %a %u %g" /key.pem') // prettier-ignore
      expect(seen.trim()).toBe('a value of a file 440 1234 4321')
    },
  )

  itAsRoot('tell what becomes of containers when they are removed', async () => {
    await agent?.kill('SIGTERM')
    const before = await stack.containers()
    const removed = await runCli(['agent', 'uninstall', '--yes', ...agentFlags().filter((f) => f !== '--allow-dir' && f !== stack.directory)], {}) // prettier-ignore
    expect(removed).toMatchObject({ code: 0 })
    expect(removed.stdout).toContain(`${stack.project}: 1 of 1 containers run`)
    expect(removed.stderr).toMatch(/run on with the secrets that they have/)
    expect(removed.stderr).toMatch(/mount file secrets from .*which a reboot empties/)
    expect(removed.stderr).toMatch(/stagely agent revoke box -n default/)
    expect(await stack.containers()).toEqual(before)
    expect((await stat(place('agent/identity.json'))).isFile()).toBe(true)
    const purged = await runCli(['agent', 'uninstall', '--purge', '--yes', '--unit-dir', place('units'), '--data-dir', place('agent')], {}) // prettier-ignore
    expect(purged.stdout).toMatch(/is not there/)
    await expect(stat(place('agent'))).rejects.toThrow(/ENOENT/)
    const controller = await runCli(['controller', 'uninstall', '--yes', ...controllerFlags().slice(0, 4)], {}) // prettier-ignore
    expect(controller.stdout).toMatch(/stagely-controller.service removed/)
    expect(controller.stderr).toMatch(/are kept: they hold the keys/)
    expect(await readdir(place('units'))).toEqual([])
  })
})
