import { describe, expect, it } from 'vitest'
import { parseHandCommand, withLabel } from './by-hand.ts'

const parse = (line: string) => parseHandCommand(line.split(' '))
const refusalOf = (line: string): string => {
  try {
    parse(line)
  } catch (error) {
    return (error as Error).message
  }
  throw new Error(`${line} was taken`)
}

describe('a command of Compose by hand', () => {
  it('gets what it needs without a terminal, right behind its verb', () => {
    expect(parse('up --force-recreate web').args).toEqual(['up', '-d', '--force-recreate', 'web'])
    expect(parse('exec web sh -c env').args).toEqual(['exec', '-T', 'web', 'sh', '-c', 'env'])
    expect(parse('run --rm web env').args).toEqual(['run', '--no-deps', '-T', '--rm', 'web', 'env'])
    expect(parse('rm -s web').args).toEqual(['rm', '-f', '-s', 'web'])
    expect(parse('config').args).toEqual(['config', '--no-interpolate'])
  })

  it('says that up is detached, where that was not asked for', () => {
    expect(parse('up web').notes.join()).toMatch(/always detached/)
    expect(parse('up -d web').notes).toEqual([])
    expect(parse('logs -f').notes).toEqual([])
  })

  it('takes all secrets only where a container is made, and only names where they are shown', () => {
    const overrides = ['up', 'run web env', 'exec web env', 'config', 'stop', 'logs -f'].map(
      (line) => parse(line).override,
    )
    expect(overrides).toEqual(['secrets', 'secrets', 'none', 'names', 'none', 'none'])
  })

  it('alters the stack unless it only looks, or tells what it would do', () => {
    const altering = (line: string): boolean => parse(line).alters
    expect(['up', 'stop web', 'down -v', 'rm'].filter(altering).length).toBe(4)
    const others = ['ps', 'logs -f', 'exec web id', 'run web id', 'up --dry-run', '--dry-run down']
    expect([...others, 'up --help'].filter(altering)).toEqual([])
    expect(parse('stop -- --dry-run').alters).toBe(true)
    // Of `--no-attach` it is the word.
    expect(parse('up --no-attach --help').alters).toBe(true)
  })

  it.each([
    ['-f other.yml up', '-f'],
    ['-fother.yml up', '-f'],
    ['--file=other.yml up', '--file'],
    ['-p other up', '-p'],
    ['--project-name other up', '--project-name'],
    ['--project-directory /srv up', '--project-directory'],
    ['--env-file .env up', '--env-file'],
    ['--profile debug up', '--profile'],
    ['up --env-file .env', '--env-file'],
    ['run --env-file=.env web id', '--env-file'],
  ])('is refused with other files or another project: %s', (line, flag) => {
    expect(refusalOf(line)).toBe(
      `${flag} is refused: files, folder, project and profiles are those of the stagelet (its spec.compose); --stagelet chooses another one`,
    )
  })

  it('leaves the flags of a command in a container to it', () => {
    expect(parse('exec web ls --file --env-file').args.at(-1)).toBe('--env-file')
    expect(parse('logs -f web').args).toEqual(['logs', '-f', 'web'])
  })

  it.each(['--watch', '-w', '-dw', '--attach=web', '--abort-on-container-exit'])(
    'is not attached: up %s',
    (flag) => {
      expect(refusalOf(`up ${flag}`)).toMatch(/is refused: up is always detached/)
    },
  )

  it.each([
    'up -d=false',
    'up --detach=0',
    'down --dry-run --dry-run=false',
    'up --help --help=f',
    'run --no-deps=false web id',
    'run -e FOO --no-deps=false web id',
    'run -de FOO -T=false web id',
    'config --no-interpolate=false',
  ])('takes nothing back of what it depends on: %s', (line) => {
    expect(refusalOf(line)).toMatch(/^-\S+ is refused: give it without a value, or leave it out$/)
  })

  it('takes the value of a flag for no flag', () => {
    expect(parse('up --detach=true web').alters).toBe(true)
    expect(parse('run -e --no-deps=false -vd=f:/f web -d=0').args.at(-1)).toBe('-d=0')
    expect(parse('exec -u root web ls --env-file').override).toBe('none')
  })

  it('knows a run that is watched, and marks its container', () => {
    const watched = ['run --rm web id', 'run -d web id', 'run --help', 'exec web id', 'up']
    expect(watched.filter((line) => parse(line).isWatchedRun)).toEqual(['run --rm web id'])
    const args = withLabel(parse('--dry-run run web run').args, 'a=b')
    expect(args.join(' ')).toBe('--dry-run run --label a=b --no-deps -T web run')
  })

  it('removes nothing for a run, which waits for nobody', () => {
    expect(refusalOf('run --name x --remove-orphans web id')).toMatch(
      /^--remove-orphans is refused/,
    )
    expect(parse('up --remove-orphans').alters).toBe(true)
  })

  it('prints no values and writes no file', () => {
    expect(refusalOf('config -qo out.yml')).toMatch(/^-o is refused: .*redirect the output/)
    expect(refusalOf('config --environment')).toMatch(/prints the values/)
    expect(refusalOf('config -o out.yml')).toMatch(/redirect the output/)
  })

  it('is refused with everything that is wrong at once', () => {
    const lines = refusalOf('-p other --progress tty watch --profile x').split('\n')
    expect(lines.map((line) => line.split(' ')[0])).toEqual([
      '-p',
      '--progress',
      '"watch"',
      '--profile',
    ])
    expect(() => parseHandCommand([])).toThrow(/give a verb: up, start/)
    expect(refusalOf('constructor')).toMatch(/not to be had/)
  })
})
