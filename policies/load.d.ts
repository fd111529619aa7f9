export function load(bundle: string, source: string): void;
export function isCurrent(path: string): boolean;
export function sourcesDigest(files: readonly string[]): string;
