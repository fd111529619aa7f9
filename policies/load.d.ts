export function load(bundle: string, source: string): void;
