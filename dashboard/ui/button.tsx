// Buttons. One that may not be pressed stays in the order of focus and says why.
import type { ComponentChild } from 'preact'
import { useRef } from 'preact/hooks'
import { useCommand } from '../session/command.ts'
import s from './button.module.css'

export interface ButtonProps {
  readonly children: ComponentChild
  readonly onPress: (event: MouseEvent) => void
  readonly variant?: 'primary' | 'plain' | 'quiet' | 'danger'
  readonly small?: boolean
  /** Why it cannot be pressed now; such as the roles that may. */
  readonly whyNot?: string | undefined
  readonly busy?: boolean
  readonly label?: string
  readonly keys?: string
  readonly submit?: boolean
  /** The focus is here when the dialog around it opens. */
  readonly first?: boolean
  /** Its name in the palette: see session/command.ts. */
  readonly command?: string
}

export const Button = ({
  children,
  onPress,
  variant = 'plain',
  small,
  whyNot,
  busy,
  ...rest
}: ButtonProps) => {
  const ref = useRef<HTMLButtonElement>(null)
  useCommand(rest.command, ref)
  return (
    <button
      type={rest.submit === true ? 'submit' : 'button'}
      ref={ref}
      class={`${s['button']} ${s[variant]} ${small === true ? s['small'] : ''}`}
      aria-disabled={whyNot !== undefined || busy === true}
      aria-busy={busy}
      autofocus={rest.first}
      aria-label={rest.label}
      title={whyNot ?? rest.label}
      onClick={(event) => {
        if (whyNot !== undefined || busy === true) event.preventDefault()
        else onPress(event)
      }}
    >
      {children}
      {rest.keys === undefined ? null : <KeyCaps keys={rest.keys} />}
    </button>
  )
}

const isMac = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent)
const names: Readonly<Record<string, string>> = {
  Mod: isMac ? '⌘' : 'Ctrl',
  Enter: '⏎',
  Escape: 'Esc',
}

/** Keys as they are printed on a keyboard. */
export const KeyCaps = ({ keys }: { readonly keys: string }) => (
  <span class={s['keys']} aria-hidden="true">
    {keys.split(/[+ ]/).map((key) => (
      <kbd>{names[key] ?? key}</kbd>
    ))}
  </span>
)

/** A link that looks like a button. */
export const LinkButton = ({
  href,
  children,
  primary,
  download,
}: {
  readonly href: string
  readonly children: ComponentChild
  readonly primary?: boolean
  /** The file that the answer becomes. */
  readonly download?: string
}) => (
  <a
    class={`${s['button']} ${primary === true ? s['primary'] : s['plain']}`}
    href={href}
    download={download}
  >
    {children}
  </a>
)
