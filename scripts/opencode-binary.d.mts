export function opencodeBinary(from?: string): string
export function bunCommand(from?: string): { command: string; env: { BUN_BE_BUN: '1' } }
export function opencodeVersion(from?: string): string
export function programPackages(): string[]
export const OTHER_OPENCODE_ENV: string
