"""Runs a command on a pseudo-terminal and relays: what comes on stdin is typed, what is shown goes to stdout."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

process, terminal = pty.fork()
if process == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 120, 0, 0))
    # Nothing that is typed is shown, so that the screen holds the command's own words alone.
    settings = termios.tcgetattr(0)
    settings[3] &= ~termios.ECHO
    termios.tcsetattr(0, termios.TCSANOW, settings)
    os.write(1, f"[process {os.getpid()}]\n".encode())
    os.execvp(sys.argv[1], sys.argv[1:])

listened_to = [terminal, 0]
while True:
    ready, _, _ = select.select(listened_to, [], [])
    if 0 in ready:
        typed = os.read(0, 4096)
        if typed:
            os.write(terminal, typed)
        else:
            listened_to.remove(0)
    if terminal in ready:
        try:
            shown = os.read(terminal, 65536)
        except OSError:
            break
        if not shown:
            break
        os.write(1, shown)

_, status = os.waitpid(process, 0)
sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)
