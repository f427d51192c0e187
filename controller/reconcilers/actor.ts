/** What the reconcilers' writes are recorded as. */
export const reconcilerActor = { name: 'reconciler', source: 'system' } as const
