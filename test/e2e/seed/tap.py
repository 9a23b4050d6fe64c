"""Opens TUN and TAP devices as their users do, and says in JSON what came through them. Run as root in their namespace."""
import fcntl, json, os, pwd, select, socket, struct, subprocess, sys, time

TUNSETIFF, IFF_TUN, IFF_TAP, IFF_NO_PI = 0x400454CA, 1, 2, 0x1000
tap, tun, owner, stranger = sys.argv[1:]


def attach(name, flags):
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags | IFF_NO_PI))
    return device


def as_user(user, act):
    """What `act` returns in a process of that user, or the error that it meets."""
    read, write = os.pipe()
    if os.fork() == 0:
        account = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
        try:
            said = act()
        except OSError as error:
            said = error.strerror
        os.write(write, json.dumps(said).encode())
        os._exit(0)
    os.close(write)
    return read


def answer(read):
    with os.fdopen(read, "rb") as pipe:
        return json.loads(pipe.read())


def first(device, fits):
    """The first frame or packet that fits, in hex; others, as the kernel's own, are passed over."""
    while select.select([device], [], [], 60)[0]:
        data = os.read(device, 2048)
        if fits(data):
            return data.hex()
    return "nothing"


def guest(name, flags, writes, fits):
    device = attach(name, flags)
    os.write(device, writes)
    return first(device, fits)


def ready(device):
    """Waits until what is sent to a device that a program has just opened is no more dropped: the kernel notices its
    carrier a moment later."""
    for _ in range(300):
        if " state UP " in subprocess.check_output(["ip", "-o", "link", "show", "dev", device], text=True):
            return
        time.sleep(0.1)
    raise SystemExit(f"{device} has no carrier")


marked = b"\x88\xb5"  # an ethertype for experiments
broadcast, ours, theirs = b"\xff" * 6, b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02"
down = broadcast + ours + marked + os.urandom(60)
up = broadcast + theirs + marked + os.urandom(60)
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88B5))
wire.bind((tap, 0x88B5))
wire.settimeout(60)
guest_says = as_user(owner, lambda: guest(tap, IFF_TAP, up, lambda data: data[12:14] == marked))
frame = wire.recv(2048)
ready(tap)
wire.send(down)
frames = {"sent": [up.hex(), down.hex()], "seen": [frame.hex(), answer(guest_says)]}

payload, reply = os.urandom(40), os.urandom(40)
host = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
host.bind(("10.90.0.1", 4242))
host.settimeout(60)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


addresses = socket.inet_aton("10.90.0.2") + socket.inet_aton("10.90.0.1")
udp = struct.pack("!HHHH", 5353, 4242, 8 + len(reply), 0) + reply
header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses
header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
is_udp = lambda data: data[0] >> 4 == 4 and data[9] == 17
guest_says = as_user(owner, lambda: guest(tun, IFF_TUN, header + udp, is_udp))
got, sender = host.recvfrom(2048)
ready(tun)
host.sendto(payload, ("10.90.0.2", 5353))
packet = bytes.fromhex(answer(guest_says))
packets = {
    "sent": [reply.hex(), payload.hex()],
    "seen": [got.hex(), packet[28:].hex()],
    "ends": [sender[0], socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])],
}

refused = {name: answer(as_user(stranger, lambda: attach(name, flags))) for name, flags in ((tap, IFF_TAP), (tun, IFF_TUN))}
print(json.dumps({"frames": frames, "packets": packets, "refused": refused}))
