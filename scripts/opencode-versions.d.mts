export const PINNED_HOSTS: Readonly<Record<string, string>>
export function newestOfMinors(versions: readonly string[], count: number): string[]
export function newestHosts(count?: number): string[]
export function fetchHost(version: string): string
export function lacksOf(version: string): string
export function isVersion(text: string): boolean
