// The machine side without a controller: a real stagelet loop on a real stack.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { baseEnvironment, type Environment } from '../../../src/compose/environment.ts'
import type { OpenedSecret } from '../../../agent/state/stack-target.ts'
import { findCompose, openCompose } from '../../../src/compose/compose.ts'
import { createEngine } from '../../../agent/docker/engine.ts'
import type { Engine } from '../../../agent/docker/engine.ts'
import { createEventHub } from '../../../agent/docker/event-hub.ts'
import type { ProjectLocks } from '../../../agent/borders/project-locks.ts'
import { createStageletLoop } from '../../../agent/stack/stagelet-loop.ts'
import type { StageletLoop } from '../../../agent/stack/stagelet-loop.ts'
import { openStateFile } from '../../../agent/state/state-file.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import type { DesiredStagelet, ReportedStagelet } from '../../../src/protocol/messages.ts'
import type { KeyPair } from '../../../src/protocol/keys.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { visibleTo } from '../../../src/secrets/visible.ts'
import type { SetEntry } from '../../../src/secrets/visible.ts'
import { aDesired } from '../builders.ts'
import { composeAt } from './compose-at.ts'
import { newFilesRoot, openTestFiles } from '../files.ts'
import { lonelyLocks } from '../agents/project-locks.ts'
import { shortGo } from '../short-go.ts'
import type { Stack } from './stack.ts'
import type { AllowedFolders } from '../../../agent/compose/allowed-folders.ts'
import { tmpBorders } from '../agents/allowed-folders.ts'

export { held, heldFile } from '../held.ts'

const dockerSocket = '/var/run/docker.sock'
export const engine: Engine = createEngine(dockerSocket)
export const digestFor = (service: string, entries: readonly OpenedSecret[]): string =>
  serviceDigest(visibleTo(service, 'shop', entries as readonly SetEntry[])) ?? ''

export const desiredFor = (stack: Stack, tweak: Partial<DesiredStagelet> = {}): DesiredStagelet =>
  aDesired({
    uid: `uid-${stack.project}`,
    compose: { directory: stack.directory, projectName: stack.project, onChange: 'Hold' },
    ...tweak,
  })

export interface Machine {
  readonly loop: StageletLoop
  /** Every report so far. */
  readonly reports: ReportedStagelet[]
  /** Waits until the newest report fits; throws with it after `timeoutMs`. */
  until(fits: (report: ReportedStagelet) => boolean, timeoutMs?: number): Promise<ReportedStagelet>
  /** Wants these entries at a new revision and waits until it has settled. */
  roll(
    entries: readonly OpenedSecret[],
    tweak?: Partial<DesiredStagelet>,
  ): Promise<ReportedStagelet>
  stop(): Promise<void>
}

export interface MachineOptions {
  /** Folder of state.json; kept by the caller for a restart. */
  readonly dataDir?: string
  /** Runs the little fake program in place of Compose; see test/fixtures/bin. */
  readonly fakeMode?: 'lie' | 'leak'
  /** Path of another Compose than the machine's. */
  readonly composeBinary?: string
  readonly folders?: Partial<AllowedFolders>
  readonly upDeadlineMs?: number
  /** How long a roll may take. */
  readonly settleMs?: number
  readonly firstRevision?: number
  /** As of an agent that is alone, unless given. */
  readonly locks?: ProjectLocks
  /** Folder of file secrets; on a tmpfs. */
  readonly filesRoot?: string
  /** Seals their cache. */
  readonly filesKey?: KeyPair
}

export const fakeCompose = resolve(import.meta.dirname, '../../fixtures/bin/docker-compose')

/** Environment of Compose; with a mode, that of the fake program, which knows where the real one is. */
export const environmentFor = async (mode?: string): Promise<Environment> => {
  const env = { ...baseEnvironment(process.env), ...shortGo }
  if (mode === undefined) return env
  return { ...env, DOCKER_FAKE_MODE: mode, DOCKER_FAKE_REAL: (await findCompose(env)) ?? '' }
}

export const startMachine = async (
  stack: Stack,
  options: MachineOptions = {},
): Promise<Machine> => {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'stagely-agent-')))
  const baseEnv = await environmentFor(options.fakeMode)
  const events = createEventHub({ engine, clock: realClock, log: silentLogger })
  const reports: ReportedStagelet[] = []
  const filesRoot = options.filesRoot ?? newFilesRoot()
  const loop = createStageletLoop({
    engine,
    compose: await (options.fakeMode === undefined
      ? composeAt(options.composeBinary)
      : openCompose(baseEnv, fakeCompose)),
    events,
    stateFile: await openStateFile(join(dataDir, 'state.json')),
    locks: options.locks ?? lonelyLocks(),
    imagesFile: (uid) => join(dataDir, 'images', `${uid}.yaml`),
    files: openTestFiles({
      root: filesRoot,
      cacheDir: join(dataDir, 'files'),
      ...(options.filesKey === undefined ? {} : { key: options.filesKey }),
      mounted: () => engine.mountSources(),
    }),
    clock: realClock,
    log: silentLogger,
    baseEnv,
    folders: { ...tmpBorders, ownDirs: [dataDir, filesRoot], ...options.folders },
    upDeadlineMs: options.upDeadlineMs ?? 15 * 60_000,
    onChange: (report) => reports.push(report),
  })
  let revision = options.firstRevision ?? 0
  let isStopped = false
  const machine: Machine = {
    loop,
    reports,
    until: async (fits, timeoutMs = 150_000) => {
      const end = performance.now() + timeoutMs
      for (;;) {
        const report = reports.at(-1)
        if (report !== undefined && fits(report)) return report
        if (isStopped || performance.now() > end)
          throw new Error(`last report: ${JSON.stringify(report, null, 1)}`)
        await realClock.sleep(20)
      }
    },
    roll: async (entries, tweak = {}) => {
      revision++
      loop.setDesired(desiredFor(stack, { revision, ...tweak }), entries)
      return await machine.until(
        (r) => r.revision === revision && r.phase === 'Settled',
        options.settleMs,
      )
    },
    stop: async () => {
      isStopped = true
      await loop.stop()
      events.stop()
      if (options.filesRoot === undefined) await rm(filesRoot, { recursive: true, force: true })
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
    },
  }
  return machine
}
