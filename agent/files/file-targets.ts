// Paths in a container that a file secret may take only where the stagelet allows it: programs are run from there, so
// that whoever may write secrets could run anything as root of the container. Pure.
import { isInside } from '../compose/allowed-folders.ts'

/** These and what is below them. */
const systemFolders = [
  ...['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/boot', '/usr'],
  ...['/proc', '/sys', '/dev', '/var/run/docker.sock', '/run/docker.sock'],
  ...[
    '/etc/pam.d',
    '/etc/profile.d',
    '/etc/sudoers.d',
    '/etc/init.d',
    '/etc/systemd',
    '/etc/cron.d',
  ],
  ...['/etc/cron.daily', '/etc/cron.hourly', '/etc/cron.weekly', '/etc/cron.monthly'],
  ...['/etc/passwd', '/etc/shadow', '/etc/group', '/etc/gshadow', '/etc/sudoers', '/etc/crontab'],
  ...['/etc/profile', '/etc/environment', '/etc/bash.bashrc', '/etc/hosts', '/etc/resolv.conf'],
  ...['/etc/nsswitch.conf', '/var/spool/cron', '/etc/crontabs'],
  ...[
    '/etc/cont-init.d',
    '/etc/services.d',
    '/etc/s6-overlay',
    '/custom-cont-init.d',
    '/etc/my_init.d',
  ],
  ...['/etc/ssh/sshrc', '/etc/ssh/sshd_config', '/etc/ssh/sshd_config.d'],
  ...['/etc/rc.local', '/etc/inittab', '/etc/zsh', '/etc/bash'],
]
/** Folders below /usr that hold settings, and no programs. */
const plainFolders = ['/usr/src', '/usr/share', '/usr/local/etc', '/usr/local/share']

const programNames =
  /^(docker-entrypoint.*|entrypoint.*|init|\.?bashrc|\.bash_\w+|\.profile|\.z(shrc|shenv|profile|login)|\.kshrc|\.ashrc|authorized_keys|.*\.sh|.*\.so(\.\d+)*)$/

const isProgram = (target: string): boolean =>
  target.split('/').some((name) => name.startsWith('docker-entrypoint')) ||
  programNames.test(target.slice(target.lastIndexOf('/') + 1))

/** Why the stagelet has to allow the target; undefined where it need not. `target` is clean and absolute. */
export const whyGuarded = (target: string, mode: string | undefined): string | undefined => {
  const bits = Number.parseInt(mode ?? '0600', 8)
  if ((bits & 0o7111) !== 0) return `with the mode ${mode ?? ''}, as a program`
  if (isProgram(target)) return 'which containers run, or take programs from'
  if (target === '/' || target.startsWith('/etc/ld.so')) return 'which is a path of the system'
  const isSystem = systemFolders.some((folder) => isInside(target, folder))
  return isSystem && !plainFolders.some((folder) => isInside(target, folder))
    ? 'which is a path of the system'
    : undefined
}

/** True where the stagelet lists the path itself, or a folder above it. */
export const isListedTarget = (target: string, listed: readonly string[]): boolean =>
  listed.some((path) => isInside(target, path))
