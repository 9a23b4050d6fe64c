"""What guests of the proofs do: python3 guest.py WORD ARGUMENTS, in the guest's namespace."""
import socket
import struct
import sys
import time


def serve(port, token):
    """Answers each connection with the token, and each line of it with the line."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", int(port)))
    listener.listen(8)
    import threading

    def answer(connection):
        connection.sendall(token.encode() + b"\n")
        while data := connection.recv(4096):
            connection.sendall(data)

    while True:
        threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()


def get(address, port, timeout="4"):
    """Prints the token, or why there is none."""
    try:
        with socket.create_connection((address, int(port)), float(timeout)) as connection:
            print(connection.recv(100).decode().strip())
    except TimeoutError:
        print("timeout")
    except OSError as error:
        print(error.strerror)


def talk(address, port, log):
    """Sends a line every 0.2 s on one connection, and writes the time of each echo to the log."""
    with socket.create_connection((address, int(port)), 10) as connection, open(log, "w", buffering=1) as file:
        connection.recv(100)
        connection.setblocking(False)
        while True:
            try:
                connection.send(b"x")
            except BlockingIOError:
                pass
            time.sleep(0.2)
            try:
                if connection.recv(4096):
                    print(time.time(), file=file)
            except BlockingIOError:
                pass


def count(text, seconds):
    """Counts the frames that arrive at the guest and hold the text."""
    receiver = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    receiver.settimeout(0.2)
    end, seen = time.time() + float(seconds), 0
    print("ready", flush=True)
    while time.time() < end:
        try:
            data, (_, _, kind, *_) = receiver.recvfrom(65535)
            if kind != socket.PACKET_OUTGOING and text.encode() in data:
                seen += 1
        except TimeoutError:
            pass
    print(seen)


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


def frame(device, what, own, target_mac, source, target, text):
    """Sends three frames of one kind; `own` is the sender's MAC in the frame."""
    payload = text.encode() + bytes(len(text) % 2)
    ethernet = lambda to, kind: mac(to) + mac(own) + struct.pack("!H", kind)
    everyone = "ff:ff:ff:ff:ff:ff"
    arp = lambda sender: struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2) + mac(own) + socket.inet_aton(sender)
    # Next header 58 (ICMPv6), type 134: a router advertisement with the text behind it.
    icmp = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + payload
    link = socket.inet_pton(socket.AF_INET6, source) if ":" in source else bytes(16)
    all_nodes = socket.inet_pton(socket.AF_INET6, "ff02::1")
    frames = {
        "udp": lambda: ethernet(target_mac, 0x0800) + ipv4(source, target, payload),
        "broadcast": lambda: ethernet(everyone, 0x0800) + ipv4(source, "255.255.255.255", payload),
        "dhcp-offer": lambda: ethernet(everyone, 0x0800) + ipv4(source, "255.255.255.255", payload, 67, 68),
        "arp": lambda: ethernet(everyone, 0x0806) + arp(source) + mac(target_mac) + socket.inet_aton(target) + payload,
        "router-advertisement": lambda: ethernet("33:33:00:00:00:01", 0x86DD)
        + struct.pack("!IHBB", 6 << 28, len(icmp), 58, 255)
        + link
        + all_nodes
        + icmp,
    }
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sender.bind((device, 0))
    for _ in range(3):
        sender.send(frames[what]())
        time.sleep(0.1)


def listen(address, port, seconds):
    """Counts UDP packets that come to a socket."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind((address, int(port)))
    receiver.settimeout(0.2)
    end, seen = time.time() + float(seconds), 0
    print("ready", flush=True)
    while time.time() < end:
        try:
            receiver.recv(2000)
            seen += 1
        except TimeoutError:
            pass
    print(seen)


globals()[sys.argv[1]](*sys.argv[2:])
