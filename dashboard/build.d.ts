// What Vite and scripts/dashboard.mjs make of imports that are no TypeScript.
declare module '*.module.css' {
  const classes: Readonly<Record<string, string>>
  export default classes
}
declare module '*.css'
/** An icon of lucide as a component: `icon:gauge` is its icon `gauge`. */
declare module 'icon:*' {
  import type { ComponentChild } from 'preact'
  const Icon: (props: { readonly size?: number; readonly class?: string }) => ComponentChild
  export default Icon
}
/** The version of the build. */
declare const STAGELY_VERSION: string
