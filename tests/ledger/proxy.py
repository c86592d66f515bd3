"""A network between a ledger and its server, that fails in the middle of a commit."""

import contextlib
import selectors
import socket
import threading

COMMIT = b"COMMIT\0"


class Proxy:
    """Forwards to a server, until a commit comes by: then it does what it was told to.

    Args:
        port: The server's, on loopback.

    Attributes:
        port: Its own.
        harm: `keep` the commit from the server, `lose` the server's answer to it, `hold` it for ever; None: nothing.
        closed: Whether it takes no further connections once it has done harm.
        done: How often it has.
    """

    def __init__(self, port):
        self._server = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.harm, self.closed, self.done = None, False, 0
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        for one in (self._listening, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self.closed and self.done:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._server))
            self._open += [client, server]
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()

    def _forward(self, client, server):
        with selectors.DefaultSelector() as ready, contextlib.suppress(OSError):
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            losing = False
            while True:
                for key, _ in ready.select():
                    data = key.fileobj.recv(1 << 16)
                    if not data or (losing and key.fileobj is server):
                        client.close()
                        server.close()
                        return
                    if self.harm is not None and key.fileobj is client and COMMIT in data:
                        harm, self.harm = self.harm, None
                        self.done += 1
                        if harm == "hold":
                            continue
                        if harm == "keep":
                            client.close()
                            server.close()
                            return
                        losing = True
                    key.data.sendall(data)
