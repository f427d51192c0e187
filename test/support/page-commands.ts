// The blocks of commands of a page of the documents, run in a shell as they are written, and compared with what the page
// shows below them.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { notRun, runElsewhere } from './page-blocks.ts'
import { servedCommand } from './programs/served-command.ts'

export interface PageBlock {
  readonly text: string
  /** What the page shows below, in a block of `text`: all that the commands print. */
  readonly output: string | undefined
}

export const allBlocks = (page: string): PageBlock[] => {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  return [
    ...text.matchAll(/^ *```(?:sh|console)\n([^]*?)^ *```$(?:\n\n```text\n([^]*?)^```$)?/gm),
  ].map(([, block = '', output]) => ({ text: block.replace(/^ +(?=stagely)/gm, ''), output }))
}

export interface PageRun {
  /** Commands run here. Programs in its folder `bin` are found first. */
  readonly folder: string
  /** The blocks that begin with this alone; all that are in no list when absent. */
  readonly part?: string
  /** May change between blocks. */
  readonly env: NodeJS.ProcessEnv
  /** What is called otherwise in the test. */
  readonly names?: Readonly<Record<string, string>>
  /** Blocks that end with another exit code than 0, by a text in them. */
  readonly codes?: Readonly<Record<string, number>>
  before?(block: string): Promise<void> | void
  /** With what the block has printed. */
  after?(block: string, stdout: string): void
}

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const runText = (text: string, cwd: string, env: NodeJS.ProcessEnv): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const shell = spawn('bash', ['-euo', 'pipefail', '-c', text], { cwd, env })
    const said = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const)
      shell[stream].on('data', (chunk: Buffer) => (said[stream] += chunk.toString()))
    shell.once('error', reject)
    shell.once('close', (code) => {
      resolve({ code: code ?? -1, ...said })
    })
    shell.stdin.end()
  })

/** Times are those of another day. */
const withoutTimes = (text: string): string =>
  text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '2026-01-31T12:00:00Z')

const replacedIn = (text: string, names: readonly (readonly [string, string])[]): string =>
  names.reduce((done, [name, other]) => done.replaceAll(name, other), text)

/** Each name of the test stands in one of the blocks. */
export const runPage = async (page: string, run: PageRun): Promise<void> => {
  const { folder, part, env, names = {}, codes = {} } = run
  const programs = join(folder, 'bin')
  mkdirSync(programs, { recursive: true })
  const stagely = await servedCommand(programs)
  const listed = Object.keys({ ...notRun[page], ...runElsewhere[page] })
  const blocks = allBlocks(page).filter(({ text }) =>
    part === undefined ? !listed.some((line) => text.startsWith(line)) : text.startsWith(part),
  )
  const pathsBack = Object.entries(names).flatMap(([name, own]) =>
    own.startsWith('/') ? [[own, name] as const] : [],
  )
  const all = blocks.map(({ text }) => text).join('')
  expect([...Object.keys(names), ...Object.keys(codes)].filter((name) => !all.includes(name))).toEqual([]) // prettier-ignore
  try {
    for (const { text, output } of blocks) {
      await run.before?.(text)
      const filled = replacedIn(text, Object.entries(names))
      const path = `${programs}:${process.env['PATH'] ?? ''}`
      const ended = await runText(filled, folder, { HOME: folder, ...env, PATH: path })
      const code = Object.entries(codes).find(([part]) => text.includes(part))?.[1] ?? 0
      expect([filled, ended]).toMatchObject([
        filled,
        { code, stderr: expect.any(String) as string },
      ])
      const shown = replacedIn(withoutTimes(ended.stdout), pathsBack)
      if (output !== undefined) expect(shown).toBe(output)
      run.after?.(text, ended.stdout)
    }
  } finally {
    stagely.close()
  }
}
