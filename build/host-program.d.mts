/** The program that runs on a host, joined from its modules. @throws Error for a module that cannot be embedded as it is */
export function joinedProgram(directory?: string): string;
/** A program as it travels and is kept in a stack's state: zlib, then base64. */
export function packedProgram(text: string): string;
