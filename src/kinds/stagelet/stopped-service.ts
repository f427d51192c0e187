// Which states of a service are those of a stopped container: pure, for the dashboard too.
const stopped: ReadonlySet<string> = new Set(['created', 'restarting', 'exited', 'paused'])

/** A container that does not run has its values, and runs none. */
export const isStopped = ({ state }: { readonly state?: string | undefined }): boolean =>
  state !== undefined && stopped.has(state)
