"""moto: breadth of services. It never evaluates a session policy, so it proves only what is allowed."""

import subprocess

from .paths import environment
from .processes import free_port, listens, stop, wait_until


class Moto:
    def __init__(self, log):
        server = environment("moto") / "bin" / "moto_server"
        self.port = free_port()
        self.endpoint = "http://127.0.0.1:%d" % self.port
        self._log = open(log, "wb")
        self.process = subprocess.Popen([server, "-H", "127.0.0.1", "-p", str(self.port)], stdout=self._log,
                                        stderr=self._log, stdin=subprocess.DEVNULL, start_new_session=True)
        wait_until(lambda: listens(self.port), 60, "moto listens")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop(self.process)
        self._log.close()
