/** The oldest OpenCode that can load this plugin. Read at every start: keep this file free of imports. */
export const OLDEST_HOST = '1.14.41'

export const UPGRADE_HOST = 'opencode upgrade'
