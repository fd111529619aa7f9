/** The system calls that count as one step each: before every one of them the host program can be made to fail. */
const calls = ["replace", "rename", "unlink", "mkdir", "rmdir", "symlink", "link", "utime", "fsync"];

/**
 * Python text to begin the host program with. The transaction counts its steps: changes of the disk, syncs, and commands
 * that it starts. Before step `at` it is killed, or that step fails as on a full disk. `at` 0 only counts.
 * The number of steps is in /run/faults-steps afterwards.
 */
export function failingAt(at: number, how: "killed" | "full" | "killed with its way back"): string {
  const failure =
    how === "full"
      ? 'raise OSError(28, "No space left on device")'
      : how === "killed"
        ? "os.kill(os.getpid(), 9)"
        : // The way back starts from the unit's own ExecStopPost=: it goes with all processes of the unit.
          `open("/run/faults-no-way-back", "w").close(); os.kill(os.getpid(), 9)`;
  return `import sys
if "recover" in sys.argv and "--boot" not in sys.argv:
    import os
    if os.path.exists("/run/faults-no-way-back"):
        os.unlink("/run/faults-no-way-back")
        os.kill(os.getpid(), 9)
if any(word.startswith("--transaction=") for word in sys.argv) and "recover" not in sys.argv:
    import os, subprocess
    _steps = [0]
    def _step():
        _steps[0] += 1
        descriptor = _open("/run/faults-steps", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.write(descriptor, str(_steps[0]).encode())
        os.close(descriptor)
        if _steps[0] == ${at}:
            ${failure}
    _open = os.open
    def _guarded(call):
        def guarded(*arguments, **options):
            _step()
            return call(*arguments, **options)
        return guarded
    for _name in ${JSON.stringify(calls)}:
        setattr(os, _name, _guarded(getattr(os, _name)))
    _popen = subprocess.Popen.__init__
    def _init(self, *arguments, **options):
        ${how === "full" ? "" : "_step()"}
        return _popen(self, *arguments, **options)
    subprocess.Popen.__init__ = _init
`;
}
