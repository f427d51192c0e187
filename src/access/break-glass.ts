/** The name of the admin with tokens for emergencies only. Nobody knows who that is. */
export const breakGlassName = 'break-glass'
