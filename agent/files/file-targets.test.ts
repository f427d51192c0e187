import { describe, expect, it } from 'vitest'
import { isListedTarget, whyGuarded } from './file-targets.ts'

describe('the target of a file secret', () => {
  it.each([
    ...['/bin/sh', '/sbin/init', '/usr/bin/env', '/usr/local/bin/app', '/lib/x', '/lib64/ld.so.2'],
    ...[
      '/etc/passwd',
      '/etc/shadow',
      '/etc/sudoers.d/x',
      '/etc/ld.so.preload',
      '/etc/ld.so.conf.d/x',
    ],
    ...['/proc/sys/kernel/core_pattern', '/sys/x', '/dev/sda', '/var/run/docker.sock', '/'],
    ...[
      '/docker-entrypoint.sh',
      '/docker-entrypoint-initdb.d/1.sql',
      '/entrypoint',
      '/app/start.sh',
    ],
    ...['/app/libx.so', '/root/.bashrc', '/root/.ssh/authorized_keys', '/etc/cron.d/job', '/init'],
    ...[
      '/etc/cont-init.d/1',
      '/etc/services.d/x/run',
      '/root/.zshenv',
      '/home/a/.bash_login',
      '/etc/ssh/sshrc',
    ],
  ])('needs leave of the stagelet: %s', (target) => {
    expect(whyGuarded(target, undefined)).toMatch(/^which /)
  })

  it.each(['0755', '0700', '0611', '4755', '2600', '1600', '04755'])(
    'needs it with the mode %s',
    (mode) => {
      expect(whyGuarded('/app/config', mode)).toBe(`with the mode ${mode}, as a program`)
    },
  )

  it.each([
    ...['/etc/app/config.yml', '/run/secrets/key', '/key.pem', '/etc/ssl/private/key.pem'],
    ...[
      '/usr/src/app/.env',
      '/usr/local/etc/redis.conf',
      '/home/app/.netrc',
      '/binary',
      '/etc/ssh/ssh_host_ed25519_key',
      '/library/x',
    ],
  ])('is free: %s', (target) => {
    expect(whyGuarded(target, '0440')).toBeUndefined()
  })

  it('is listed by its path, or by a folder that it is in', () => {
    expect(isListedTarget('/usr/local/bin/app', ['/usr/local/bin/'])).toBe(true)
    expect(isListedTarget('/usr/local/bin/app', ['/usr/local/bin/app'])).toBe(true)
    expect(isListedTarget('/usr/local/bin/app', ['/usr/local/b', '/usr/local/bin/app/x'])).toBe(
      false,
    )
    expect(isListedTarget('/bin/sh', ['/'])).toBe(true)
  })
})
