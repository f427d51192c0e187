// The person: theme, density, shortcuts, log out.
import { useLocation } from 'preact-iso'
import { lockValues } from '../ui/dialogs/confirm-login.tsx'
import { Menu } from '../ui/dialogs/menu.tsx'
import { logOutEverywhere } from './live.ts'
import { appearance, setLook, type Theme } from '../session/look.ts'
import { me } from '../session/session.ts'
import ChevronDown from 'icon:chevron-down'
import s from './user-menu.module.css'

const themes: readonly (readonly [Theme, string])[] = [
  ['system', 'System theme'],
  ['light', 'Light'],
  ['dark', 'Dark'],
]

export const UserMenu = ({ onShortcuts }: { readonly onShortcuts: () => void }) => {
  const { route } = useLocation()
  const who = me.value
  if (who === undefined) return null
  const { theme, density, letters } = appearance.value
  const roles = who.admin
    ? 'admin of the controller'
    : who.teams.map(({ team, role }) => `${role} of ${team}`).join(', ')
  return (
    <Menu
      label={`${who.name}: settings and log out`}
      button={
        <>
          <span class={s['face']} data-letter={who.name.slice(0, 1).toUpperCase()} />
          <span class={s['name']}>{who.name}</span>
          <ChevronDown size={14} />
        </>
      }
      head={
        <p class={s['who']}>
          <b>{who.name}</b>
          <span class="muted">{roles}</span>
        </p>
      }
      items={[
        ...themes.map(([value, text]) => ({
          text,
          checked: theme === value,
          onPress: () => setLook({ theme: value }),
        })),
        'line',
        {
          text: 'Dense rows',
          checked: density === 'dense',
          onPress: () => setLook({ density: density === 'dense' ? 'normal' : 'dense' }),
        },
        {
          text: 'Single-letter shortcuts',
          checked: letters,
          onPress: () => setLook({ letters: !letters }),
        },
        { text: 'Show the shortcuts', onPress: onShortcuts },
        { text: 'Lock values (screen sharing)', onPress: lockValues },
        'line',
        {
          text: 'Profile, sessions and tokens',
          onPress: () => route('/ui/me'),
        },
        { text: 'Documentation', onPress: () => void window.open('/docs/', '_blank', 'noopener') },
        { text: 'Log out', onPress: () => void logOutEverywhere() },
      ]}
    />
  )
}
