"""Sends hand-made frames through a packet socket: craft.py INTERFACE SET.

The sets are `tagged` (802.1Q and 802.1ad), `odd` (well-formed, but rare) and
`malformed` (every frame has one fault). Each IPv4 datagram carries its ordinal in
the identification field, so that a test can name it.
"""
import socket
import struct
import sys

CLIENT = bytes.fromhex("020000000010")
SERVER = bytes.fromhex("020000000042")
CLIENT_IP = socket.inet_aton("192.168.0.10")
SERVER_IP = socket.inet_aton("192.168.0.42")
CLIENT_IP6 = socket.inet_pton(socket.AF_INET6, "fd00::10")
SERVER_IP6 = socket.inet_pton(socket.AF_INET6, "fd00::42")
TCP, UDP, ICMP = 6, 17, 1
ident = 0


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF


def l4(proto, header, payload, at):
    """Fills the checksum at offset `at` of the header, under IPv4."""
    pseudo = CLIENT_IP + SERVER_IP + struct.pack("!BBH", 0, proto, len(header) + len(payload))
    if proto == ICMP:
        pseudo = b""
    value = checksum(pseudo + header + payload)
    return header[:at] + struct.pack("!H", value) + header[at + 2:] + payload


def udp(payload=b"enilab", length=None):
    length = 8 + len(payload) if length is None else length
    return l4(UDP, struct.pack("!HHHH", 40000, 5000, length, 0), payload, 6)


def tcp(flags=0x02, offset=5, options=b"", payload=b""):
    return l4(TCP, struct.pack("!HHIIBBHHH", 40000, 80, 1, 0, offset << 4, flags, 65535, 0, 0) + options, payload, 16)


def echo(payload=b"enilab"):
    return l4(ICMP, struct.pack("!BBHHH", 8, 0, 0, 7, 1), payload, 2)


def ipv4(proto, payload, version=4, ihl=None, total=None, frag=0, options=b""):
    global ident
    ident += 1
    ihl = 5 + len(options) // 4 if ihl is None else ihl
    total = 20 + len(options) + len(payload) if total is None else total
    head = struct.pack("!BBHHHBBH", version << 4 | ihl, 0, total, ident, frag, 64, proto, 0)
    head += CLIENT_IP + SERVER_IP + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(next_header, payload, length=None, version=6):
    length = len(payload) if length is None else length
    return struct.pack("!IHBB", version << 28, length, next_header, 64) + CLIENT_IP6 + SERVER_IP6 + payload


def udp6(payload=b"enilab"):
    head = struct.pack("!HHHH", 40000, 5000, 8 + len(payload), 0)
    pseudo = CLIENT_IP6 + SERVER_IP6 + struct.pack("!II", 8 + len(payload), UDP)
    return head[:6] + struct.pack("!H", checksum(pseudo + head + payload)) + payload


def arp(op=1, sizes=(6, 4), types=(1, 0x0800), target=b"\0" * 6, target_ip=SERVER_IP):
    return struct.pack("!HHBBH", *types, *sizes, op) + CLIENT + CLIENT_IP + target + target_ip


def ethernet(kind, payload, dst=SERVER):
    return dst + CLIENT + struct.pack("!H", kind) + payload


def tag(vlan, kind, payload):
    return struct.pack("!HH", vlan, kind) + payload


IP4, ARP, IP6, VLAN, QINQ = 0x0800, 0x0806, 0x86DD, 0x8100, 0x88A8
MORE = 0x2000
BROADCAST = b"\xff" * 6


def tagged():
    yield ethernet(VLAN, tag(10, IP4, ipv4(UDP, udp())))
    yield ethernet(VLAN, tag(0, IP4, ipv4(TCP, tcp())))  # priority tag
    yield ethernet(VLAN, tag(0x600A, ARP, arp()), BROADCAST)  # priority 3
    yield ethernet(QINQ, tag(100, VLAN, tag(10, IP4, ipv4(ICMP, echo()))))
    yield ethernet(VLAN, tag(100, VLAN, tag(10, IP6, ipv6(UDP, udp6()))))
    yield ethernet(QINQ, tag(1, VLAN, tag(2, VLAN, tag(3, IP4, ipv4(UDP, udp())))))  # three tags


def odd():
    yield ethernet(IP4, ipv4(UDP, udp()) + b"\0" * 12)  # Ethernet padding to 60 bytes
    yield ethernet(ARP, arp() + b"\0" * 18, BROADCAST)
    yield ethernet(ARP, arp(target_ip=CLIENT_IP), BROADCAST)  # gratuitous
    yield ethernet(ARP, arp(op=2, target=SERVER))
    yield ethernet(IP4, ipv4(UDP, udp(), options=b"\x94\x04\0\0"))  # router alert
    yield ethernet(IP4, ipv4(UDP, udp(b""), options=b"\x01\x01\x01\x00"))
    yield ethernet(IP4, ipv4(UDP, udp()[:6] + b"\0\0" + b"enilab"))  # no UDP checksum
    yield ethernet(IP4, ipv4(UDP, udp(b"") + b"enilab"))  # bytes behind the datagram
    yield ethernet(IP4, ipv4(TCP, tcp(0x12, 6, b"\x02\x04\x05\xb4")))
    yield ethernet(IP4, ipv4(TCP, tcp(0xC2)))  # SYN with ECE and CWR
    yield ethernet(IP4, ipv4(TCP, tcp(0x00)))  # no flags
    yield ethernet(IP4, ipv4(TCP, tcp(0xFF)))  # all flags
    yield ethernet(IP4, ipv4(47, b"\0\0\x88\xb5" + b"enilab"))  # GRE
    yield ethernet(IP4, ipv4(132, b"\0" * 12))  # SCTP
    whole = udp(b"e" * 56)
    yield ethernet(IP4, ipv4(UDP, whole[:32], frag=MORE))
    ident_back()
    yield ethernet(IP4, ipv4(UDP, whole[32:], frag=4))
    yield ethernet(IP6, ipv6(0, b"\x3c\0\x05\x02\0\0\x01\0" + b"\x2c\0\x01\x04\0\0\0\0" + b"\x11\0\0\0\0\0\0\x07" + udp6()))
    yield ethernet(IP6, ipv6(44, b"\x11\0\0\x01\0\0\0\x07" + udp6(b"e" * 8)))  # first fragment
    yield ethernet(IP6, ipv6(44, b"\x11\0\0\x10\0\0\0\x07" + b"e" * 11))  # last fragment
    yield ethernet(IP6, ipv6(59, b""))  # no next header
    yield ethernet(0x88CC, b"\x02\x07\x04" + CLIENT + b"\x04\x02\x071" + b"\x06\x02\0x" + b"\0\0", bytes.fromhex("0180c200000e"))  # LLDP
    yield ethernet(38, b"\x42\x42\x03" + b"\0" * 35 + b"\0" * 8, bytes.fromhex("0180c2000000"))  # LLC, padded
    yield ethernet(IP4, ipv4(UDP, udp()), BROADCAST)
    yield ethernet(IP4, ipv4(UDP, udp()), bytes.fromhex("01005e0000fb"))  # multicast


def ident_back():
    global ident
    ident -= 1


def malformed():
    yield ethernet(IP4, b"")
    yield ethernet(VLAN, b"\0\x0a")  # half a tag
    yield ethernet(1400, b"\x42\x42\x03")  # 802.3 length beyond the frame
    yield ethernet(IP4, ipv4(UDP, udp())[:19])
    yield ethernet(IP4, ipv4(UDP, udp(), version=5))
    yield ethernet(IP4, ipv4(UDP, udp(), ihl=4))
    yield ethernet(IP4, ipv4(UDP, udp(), ihl=15))  # header longer than the datagram
    yield ethernet(IP4, ipv4(UDP, udp(), total=0))
    yield ethernet(IP4, ipv4(UDP, udp(), total=19))
    yield ethernet(IP4, ipv4(UDP, udp(), total=1500))
    yield ethernet(IP4, ipv4(UDP, udp(), options=b"\x07\x27\0\0"))  # option beyond the header
    yield ethernet(IP4, ipv4(UDP, udp(), options=b"\x07\0\0\0"))  # option of length 0
    yield ethernet(IP4, ipv4(UDP, udp()[:7]))
    yield ethernet(IP4, ipv4(UDP, udp(length=7)))
    yield ethernet(IP4, ipv4(UDP, udp(length=600)))
    yield ethernet(IP4, ipv4(TCP, tcp()[:19]))
    yield ethernet(IP4, ipv4(TCP, tcp(offset=4)))
    yield ethernet(IP4, ipv4(TCP, tcp(offset=15)))
    yield ethernet(IP4, ipv4(ICMP, echo()[:7]))
    yield ethernet(IP4, ipv4(TCP, tcp()[:16], frag=MORE))  # RFC 1858: tiny first fragment
    yield ethernet(IP4, ipv4(TCP, tcp()[8:], frag=1))  # RFC 1858: would rewrite the flags
    yield ethernet(IP4, ipv4(UDP, b"e" * 12, frag=MORE | 8))  # not a multiple of eight
    yield ethernet(IP4, ipv4(ICMP, b"e" * 64, frag=0x1FFF))  # ping of death
    yield ethernet(ARP, arp()[:27], BROADCAST)
    yield ethernet(ARP, arp(sizes=(200, 4)), BROADCAST)
    yield ethernet(ARP, arp(sizes=(6, 16)), BROADCAST)
    yield ethernet(ARP, arp(types=(6, 0x0800)), BROADCAST)
    yield ethernet(ARP, arp(types=(1, 0x86DD)), BROADCAST)
    yield ethernet(IP6, ipv6(UDP, udp6())[:39])
    yield ethernet(IP6, ipv6(UDP, udp6(), version=4))
    yield ethernet(IP6, ipv6(UDP, udp6(), length=600))
    yield ethernet(IP6, ipv6(0, b"\x11\x09\0\0\0\0\0\0" + udp6()))  # extension beyond the packet
    yield ethernet(IP6, ipv6(60, b"\0\0\x01\x04\0\0\0\0" + b"\x11\0\x01\x04\0\0\0\0" + udp6()))  # hop-by-hop not first
    yield ethernet(IP6, ipv6(60, b"\x3c\0\x01\x04\0\0\0\0" * 9 + b"\x11\0\x01\x04\0\0\0\0" + udp6()))  # ten headers
    yield ethernet(IP6, ipv6(44, b"\x2c\0\0\x01\0\0\0\x07" * 2 + udp6()))  # fragment of a fragment
    yield ethernet(IP6, ipv6(44, b"\x06\0\0\x01\0\0\0\x07" + b"e" * 8))  # RFC 7112: header not in the first
    yield ethernet(IP6, ipv6(58, b"\x80\0\0\0"))


with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
    link.bind((sys.argv[1], 0))
    for f in {"tagged": tagged, "odd": odd, "malformed": malformed}[sys.argv[2]]():
        link.send(f)
