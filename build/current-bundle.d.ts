export function isCurrent(path: string): boolean;
export function sourcesDigest(files: readonly string[]): string;
