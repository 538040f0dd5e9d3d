"""Streams that nobody reads: see deaf.ts. Arguments: host, port, the addresses to come from, how many, the request."""

import resource
import socket
import sys
import time

host, port, sources, count, request = sys.argv[1:]
sources = sources.split(",")
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
sockets = []
for index in range(int(count)):
    connection = socket.socket()
    # What a network would do: small segments, so the sender's kernel does not take megabytes; and little room to receive.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1460)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.bind((sources[index % len(sources)], 0))
    connection.connect((host, int(port)))
    connection.sendall(request.encode())
    sockets.append(connection)
print("open", flush=True)
time.sleep(3600)
