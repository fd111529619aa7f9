/** The host program says this when it has switched and waits to be asked again (activation/host, confirmation.py). */
export const confirmationWords = "pulumi-systemd: switched, and waiting for confirmation over a new connection";

/** Whether a command failed only because the host waits to be confirmed. */
export function asksForConfirmation(error: string): boolean {
  return error.includes(confirmationWords);
}
