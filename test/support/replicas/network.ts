// A network of one test: each controller in a namespace of its own with two interfaces, one towards
// the database and one towards clients, agents and other controllers. A cut drops every packet and
// tells neither side. Needs root and iproute2. The switches lie in a namespace as well, where no
// firewall of the machine looks at what they pass on.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'

const sides = ['database', 'front'] as const
type Side = (typeof sides)[number]

export interface Network {
  /** Of this machine, on the side of the database and on that of clients. */
  readonly host: Readonly<Record<Side, string>>
  /** Of controller `index`, on the side of clients. */
  frontOf(index: number): string
  /** What runs a program inside the namespace of controller `index`: it becomes that program. */
  within(index: number): readonly string[]
  cut(index: number, side: Side): void
  heal(index: number): void
  /** Also what is inside stops to exist. Safe to call twice. */
  remove(): void
}

const prefix = 'stagely-t'
const run = (command: string, ...args: string[]): void => {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
const ip = (line: string): void => {
  run('ip', ...line.split(' '))
}
const namesOf = (pid: number): RegExp => new RegExp(`^${prefix}${pid}-`)
const namespaces = (): string[] => {
  const dir = '/run/netns'
  return existsSync(dir) ? readdirSync(dir).filter((name) => name.startsWith(prefix)) : []
}

/** What a run that was killed has left behind. */
const removeOrphans = (): void => {
  for (const name of namespaces()) {
    const pid = /^\D+(\d+)-/.exec(name)?.[1] ?? ''
    if (!existsSync(`/proc/${pid}`)) ip(`netns del ${name}`)
  }
}

/** Two nets of 256 addresses that nobody on this machine has, so that runs may lie side by side. */
const freeNet = (): number => {
  const used = execFileSync('ip', ['-o', 'addr']).toString()
  for (let i = 0; i < 100; i++) {
    const net = (process.pid + i) % 250
    if (!used.includes(`10.213.${net}.`) && !used.includes(`10.214.${net}.`)) return net
  }
  throw new Error('no free addresses below 10.213 and 10.214')
}

export const createNetwork = (controllers: number): Network => {
  removeOrphans()
  const name = (what: string): string => `${prefix}${process.pid}-${what}`
  const net = freeNet()
  const address = (side: Side, last: number): string =>
    `10.${side === 'database' ? 213 : 214}.${net}.${last}`
  const port = (side: Side, index: number): string => `${side.slice(0, 2)}${index}`
  const hub = name('hub')
  const here = String(process.pid)
  const remove = (): void => {
    for (const left of namespaces().filter((n) => namesOf(process.pid).test(n)))
      ip(`netns del ${left}`)
  }
  const plug = (side: Side, index: number, last: number, to: string): void => {
    const inside = `${side.slice(0, 2)}${process.pid.toString(36)}`.slice(0, 15)
    ip(`-n ${hub} link add ${port(side, index)} type veth peer name ${inside} netns ${to}`)
    ip(`-n ${hub} link set ${port(side, index)} master ${side} up`)
    const at = to === here ? '' : `-n ${to} `
    ip(`${at}addr add ${address(side, last)}/24 dev ${inside}`)
    ip(`${at}link set ${inside} up`)
  }
  try {
    ip(`netns add ${hub}`)
    for (const side of sides) {
      ip(`-n ${hub} link add ${side} type bridge`)
      ip(`-n ${hub} link set ${side} up`)
      plug(side, 0, 1, here)
    }
    for (let index = 1; index <= controllers; index++) {
      ip(`netns add ${name(`c${index}`)}`)
      ip(`-n ${name(`c${index}`)} link set lo up`)
      for (const side of sides) plug(side, index, 10 + index, name(`c${index}`))
    }
  } catch (error) {
    remove()
    const { stderr } = error as { stderr?: Buffer }
    throw new Error(`cannot make network namespaces: ${stderr?.toString() ?? ''}`, { cause: error })
  }
  const setPort = (index: number, side: Side, state: 'disabled' | 'forwarding'): void => {
    run('bridge', '-n', hub, 'link', 'set', 'dev', port(side, index), 'state', state)
  }
  return {
    host: { database: address('database', 1), front: address('front', 1) },
    frontOf: (index) => address('front', 10 + index),
    within: (index) => ['nsenter', `--net=/run/netns/${name(`c${index}`)}`, '--'],
    cut: (index, side) => {
      setPort(index, side, 'disabled')
    },
    heal: (index) => {
      for (const side of sides) setPort(index, side, 'forwarding')
    },
    remove,
  }
}
