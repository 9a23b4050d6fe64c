"""What guests of the proofs do: python3 guest.py WORD JSON. One process for all guests of a host: a socket stays in the
namespace in which it was made."""
import ctypes
import fcntl
import json
import os
import selectors
import signal
import socket
import struct
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)


def enter(namespace):
    path = f"/run/netns/{namespace}" if namespace else "/proc/1/ns/net"
    descriptor = os.open(path, os.O_RDONLY)
    if libc.setns(descriptor, 0x40000000):
        raise OSError(ctypes.get_errno(), f"setns {path}")
    os.close(descriptor)


def socket_in(namespace, *kind):
    enter(namespace)
    return socket.socket(*kind)


def serve(guests):
    """Answers each connection with the guest's name and who is asking, and then each line with the line."""

    def answer(connection, name, address):
        connection.sendall(f"{name} {address}\n".encode())
        try:
            while data := connection.recv(4096):
                connection.sendall(data)
        except OSError:
            pass

    waiting = selectors.DefaultSelector()
    for name, ports in guests.items():
        for port in ports:
            listener = socket_in(name, socket.AF_INET6, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listener.bind(("", port))
            listener.listen(8)
            waiting.register(listener, selectors.EVENT_READ, name)
    ready()
    while True:
        for key, _ in waiting.select():
            connection, (address, *_) = key.fileobj.accept()
            address = address.removeprefix("::ffff:")
            threading.Thread(target=answer, args=(connection, key.data, address), daemon=True).start()


def get(paths, timeout=8):
    """For each [namespace, address, port] what the server answers, or why it does not."""

    def ask(index, client, address, port):
        client.settimeout(timeout)
        try:
            with client:
                client.connect((address, port))
                said[index] = client.recv(100).decode().strip()
        except OSError as error:
            said[index] = error.strerror or "timeout"

    said = [""] * len(paths)
    threads = []
    for index, (namespace, address, port) in enumerate(paths):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        client = socket_in(namespace, family, socket.SOCK_STREAM)
        threads.append(threading.Thread(target=ask, args=(index, client, address, port)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    print(json.dumps(said))


def talk(paths):
    """On each [namespace, address, port, log] a byte every 0.2 s; the log has the time of each echo."""

    def go_on(connection, log):
        connection.setblocking(False)
        with open(log, "w", buffering=1) as file:
            while True:
                try:
                    connection.send(b"x")
                    if connection.recv(4096):
                        print(time.time(), file=file)
                except BlockingIOError:
                    pass
                time.sleep(0.2)

    for namespace, address, port, log in paths:
        connection = socket_in(namespace, socket.AF_INET, socket.SOCK_STREAM)
        connection.settimeout(10)
        connection.connect((address, port))
        connection.recv(100)
        threading.Thread(target=go_on, args=(connection, log)).start()
    ready()


def count(wanted):
    """How many frames with each of `texts` arrive in each of `namespaces`, and datagrams at the host's own `port`, until
    it is told to end and none has come for two seconds; then the file `log` has the numbers."""
    over = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(True))
    waiting, seen = selectors.DefaultSelector(), {}
    for name in wanted["namespaces"]:
        receiver = socket_in(name, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        waiting.register(receiver, selectors.EVENT_READ, name)
    host = socket_in("", socket.AF_INET, socket.SOCK_DGRAM)
    host.bind(("", wanted["port"]))
    waiting.register(host, selectors.EVENT_READ, "host")
    for name in [*wanted["namespaces"], "host"]:
        seen[name] = dict.fromkeys(wanted["texts"], 0)
    ready()
    heard = time.monotonic()
    while not over or time.monotonic() - heard < 2:
        for key, _ in waiting.select(0.2):
            data, sender = key.fileobj.recvfrom(65535)
            if key.data != "host" and sender[2] == socket.PACKET_OUTGOING:
                continue
            for text in wanted["texts"]:
                if text.encode() in data:
                    seen[key.data][text] += 1
                    heard = time.monotonic()
    with open(wanted["log"], "w") as file:
        json.dump(seen, file)


def machines(wanted):
    """Guests that are a program, as QEMU is one: each opens its TAP, and answers ARP and pings for its address."""
    waiting = selectors.DefaultSelector()
    for tap, own, address in wanted:
        device = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", tap.encode(), 0x1002))
        waiting.register(device, selectors.EVENT_READ, (mac(own), socket.inet_aton(address)))
    ready()
    while True:
        for key, _ in waiting.select():
            if said := reply(os.read(key.fileobj, 2048), *key.data):
                os.write(key.fileobj, said)


def reply(frame, own, address):
    to, sender, kind = frame[:6], frame[6:12], frame[12:14]
    if kind == b"\x08\x06" and frame[20:22] == b"\0\1" and frame[38:42] == address:
        return sender + own + kind + frame[14:20] + b"\0\2" + own + address + frame[22:32]
    if kind == b"\x08\0" and to == own and frame[23] == 1 and frame[34] == 8:
        echo = frame[38 : 14 + int.from_bytes(frame[16:18], "big")]
        total = struct.pack("!H", checksum(bytes(4) + echo + bytes(len(echo) % 2)))
        return sender + own + kind + frame[14:26] + frame[30:34] + frame[26:30] + bytes(2) + total + echo
    return None


def ready():
    """For systemd, which waits for it (Type=notify)."""
    if path := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(b"READY=1", path)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source, target, payload, sport=9998, dport=9999):
    udp = struct.pack("!4H", sport, dport, 8 + len(payload), 0) + payload
    head = [0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(target)]
    head[7] = checksum(struct.pack("!BBHHHBBH4s4s", *head))
    return struct.pack("!BBHHHBBH4s4s", *head) + udp


everyone = "ff:ff:ff:ff:ff:ff"


def ethernet(to, own, kind):
    return mac(to) + mac(own) + struct.pack("!H", kind)


def udp(text, own, to, source, target):
    return ethernet(to, own, 0x0800) + ipv4(source, target, text)


def udp6(text, own, to, source, target):
    ends = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target)
    head = struct.pack("!3H", 9998, 9999, 8 + len(text))
    total = checksum(ends + struct.pack("!II", 8 + len(text), 17) + head + bytes(2) + text)
    packet = struct.pack("!IHBB", 6 << 28, 8 + len(text), 17, 64) + ends + head + struct.pack("!H", total) + text
    return ethernet(to, own, 0x86DD) + packet


def dhcp_offer(text, own, source):
    return ethernet(everyone, own, 0x0800) + ipv4(source, "255.255.255.255", text, 67, 68)


def arp(text, own, source, target):
    """An answer that nobody asked for, to everybody."""
    head = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2)
    return (
        ethernet(everyone, own, 0x0806)
        + head
        + (mac(own) + socket.inet_aton(source) + mac(everyone) + socket.inet_aton(target) + text)
    )


def router_advertisement(text, own):
    """From the link-local address that belongs to the MAC, so that it is refused for what it is."""
    octets = mac(own)
    link = b"\xfe\x80" + bytes(6) + bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
    everybody = socket.inet_pton(socket.AF_INET6, "ff02::1")
    body = struct.pack("!BBHIII", 134, 0, 0, (64 << 24) | 1800, 0, 0)
    # The text is in an option, of which the length is counted in eights: a link-layer address that is none.
    option = text + bytes(-(len(text) + 2) % 8)
    body += struct.pack("!BB", 253, (len(option) + 2) // 8) + option
    pseudo = link + everybody + struct.pack("!II", len(body), 58)
    body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
    return (
        ethernet("33:33:00:00:00:01", own, 0x86DD)
        + struct.pack("!IHBB", 6 << 28, len(body), 58, 255)
        + link
        + everybody
        + body
    )


def frames(wanted):
    """Sends three of each [namespace, kind of frame, its text, more arguments] by the guest's eth0."""
    for namespace, what, text, *more in wanted:
        sender = socket_in(namespace, socket.AF_PACKET, socket.SOCK_RAW)
        sender.bind(("eth0", 0))
        for _ in range(3):
            sender.send(globals()[what](text.encode() + bytes(len(text) % 2), *more))
            time.sleep(0.05)
        sender.close()


globals()[sys.argv[1]](json.loads(sys.argv[2]))
