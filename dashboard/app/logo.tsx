/** The mark: layers, as what is declared, told and running. */
export const Logo = ({ size = 26 }: { readonly size?: number }) => (
  <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
    <rect width="32" height="32" rx="8" fill="var(--accent)" />
    <g
      fill="none"
      stroke="var(--on-accent)"
      stroke-width="2.600"
      stroke-linejoin="round"
      stroke-linecap="round"
    >
      <path d="M16 6.500 26 12l-10 5.500L6 12z" />
      <path d="m6 17 10 5.500L26 17" opacity=".85" />
      <path d="m6 21.800 10 5.500 10-5.500" opacity=".5" />
    </g>
  </svg>
)
