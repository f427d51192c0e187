import { describe, expect, it } from 'vitest'
import { renderAgentUnit, type AgentUnit } from './unit.ts'

const linesOf = (unit: Partial<AgentUnit> = {}): string[] =>
  renderAgentUnit({
    command: {
      words: ['/usr/bin/node', '/opt/stagely/main.js'],
      inHome: false,
      closedTo: undefined,
    },
    args: [],
    dataDir: '/var/lib/stagely-agent',
    filesDir: '/run/stagely',
    allowDirs: ['/srv'],
    dockerHost: undefined,
    logLevel: undefined,
    ephemeral: false,
    ...unit,
  }).split('\n')

describe('the unit of the agent', () => {
  it('lets systemd make the usual folders, which outlast the service', () => {
    const lines = linesOf()
    expect(lines).toContain('StateDirectory=stagely-agent')
    expect(lines).toContain('RuntimeDirectory=stagely')
    expect(lines).toContain('RuntimeDirectoryPreserve=yes')
    expect(lines.join()).not.toMatch(/ReadWritePaths|RequiresMountsFor/)
  })

  it('makes other folders before its sandbox is built, each time: a tmpfs forgets them', () => {
    const lines = linesOf({ dataDir: '/data/my agent', filesDir: '/mnt/ram/stagely' })
    expect(lines).toContain(
      'ExecStartPre=+/bin/mkdir -p -m 0700 "/data/my agent" /mnt/ram/stagely %h/.docker',
    )
    for (const setting of ['ReadWritePaths=-', 'RequiresMountsFor='])
      for (const path of ['"/data/my agent"', '/mnt/ram/stagely'])
        expect(lines).toContain(setting + path)
    expect(lines.join()).not.toMatch(/StateDirectory|RuntimeDirectory/)
  })

  it('leaves the controller as an ephemeral machine shuts down, and never at a restart', () => {
    expect(linesOf().join()).not.toContain('ExecStopPost')
    const [line, ...more] = linesOf({ ephemeral: true }).filter((l) => l.includes('ExecStopPost'))
    expect(more).toEqual([])
    expect(line).toBe(
      'ExecStopPost=-/bin/sh -c "[ \\"$$(systemctl is-system-running)\\" = stopping ] || exit 0; exec \\"$$@\\"" leave /usr/bin/node /opt/stagely/main.js agent leave --data-dir /var/lib/stagely-agent',
    )
  })

  it('keeps what Compose writes when it builds images in the agent’s folder', () => {
    expect(linesOf()).toContain('Environment=BUILDX_CONFIG=/var/lib/stagely-agent/buildx')
    expect(linesOf()).toContain('ExecStartPre=+/bin/mkdir -p -m 0700 %h/.docker')
    expect(linesOf({ dataDir: '/data/a b' })).toContain(
      'Environment="BUILDX_CONFIG=/data/a b/buildx"',
    )
  })
})
