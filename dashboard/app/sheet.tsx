// All shortcuts that can be pressed where one is.
import { Dialog } from '../ui/dialogs/dialog.tsx'
import { KeyCaps } from '../ui/button.tsx'
import { shortcuts, type Shortcut } from '../session/keys.ts'
import s from './sheet.module.css'

const inTables: readonly Omit<Shortcut, 'run'>[] = [
  { keys: 'j k', does: 'Down, up (and the arrows)', group: 'In tables' },
  { keys: 'Enter', does: 'Open', group: 'In tables' },
  { keys: 'x', does: 'Select, in the list of secrets', group: 'In tables' },
]

export const ShortcutSheet = ({ onClose }: { readonly onClose: () => void }) => {
  const groups = new Map<string, Omit<Shortcut, 'run'>[]>()
  for (const shortcut of [...shortcuts(), ...inTables]) {
    const group = shortcut.group ?? 'On this page'
    groups.set(group, [...(groups.get(group) ?? []), shortcut])
  }
  return (
    <Dialog title="Shortcuts" onClose={onClose} wide>
      <div class={s['groups']}>
        {[...groups].map(([name, list]) => (
          <section>
            <h3>{name}</h3>
            <dl>
              {list.map(({ keys, does }) => (
                <div>
                  <dt>{does}</dt>
                  <dd>
                    <KeyCaps keys={keys} />
                    <span class="visually-hidden">{keys}</span>
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
