"""A line between two addresses of this machine: every IP packet on it is counted, and can be slow or lost.

The line is a tunnel device in a network namespace of the bench's own. What is sent to `FAR` comes out of the
device as a packet, has its two addresses exchanged (which leaves every checksum right) and goes back in: so
the kernel talks TCP to itself through real packets of 1500 bytes at most, and retransmits what gets lost.
"""

from __future__ import annotations

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass

NEAR, FAR = "10.77.0.1", "10.77.0.2"
MARK = "LOKET_BENCH_NETWORK"
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
QUEUE_BYTES = 16_384  # bytes waiting before a slow line, as in a modem; beyond it packets are dropped
TCP = 6


def enter_own_network() -> None:
    """Run this script again in a network namespace of its own; needs no root where user namespaces are on."""
    if os.environ.get(MARK):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    os.environ[MARK] = "1"
    os.execvp("unshare", ["unshare", "-rn", *sys.orig_argv])


@dataclass
class Traffic:
    """Packets and bytes in one direction.

    Attributes:
        packets: IP packets, acknowledgements included.
        ip_bytes: Their bytes with IP and TCP headers.
        stream_bytes: Bytes of the TCP stream, those sent again included.
    """

    packets: int = 0
    ip_bytes: int = 0
    stream_bytes: int = 0

    def __sub__(self, other: Traffic) -> Traffic:
        return Traffic(
            self.packets - other.packets,
            self.ip_bytes - other.ip_bytes,
            self.stream_bytes - other.stream_bytes,
        )


@dataclass(frozen=True)
class Reading:
    """Both directions of one port up to one moment."""

    up: Traffic
    down: Traffic

    def __sub__(self, other: Reading) -> Reading:
        return Reading(self.up - other.up, self.down - other.down)

    @property
    def ip_bytes(self) -> int:
        """Bytes of IP packets, both ways."""
        return self.up.ip_bytes + self.down.ip_bytes


class Link(threading.Thread):
    """The line.

    Attributes:
        bits_per_second: Rate in each direction; 0 is as fast as can be.
        one_way_seconds: Delay.
        loss: Share of packets lost, 0..1.
        lost: Packets lost so far, by chance or because too many waited.
        waiting_bytes: The most that ever waited before the line, downward.
    """

    def __init__(self, bits_per_second: int = 0, one_way_seconds: float = 0.0, loss: float = 0.0) -> None:
        super().__init__(daemon=True)
        self.bits_per_second = bits_per_second
        self.one_way_seconds = one_way_seconds
        self.loss = loss
        self.lost = 0
        self.waiting_bytes = 0
        self._chance = random.Random(96)
        self._counts: dict[tuple[int, bool], Traffic] = defaultdict(Traffic)
        self._free_at = {True: 0.0, False: 0.0}
        self._late: list[tuple[float, int, bytes]] = []
        self._serial = 0
        self._device = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self._device, TUNSETIFF, struct.pack("16sH", b"line", IFF_TUN | IFF_NO_PI))
        for command in (f"addr add {NEAR}/30 dev line", "link set line up mtu 1500"):
            subprocess.run(["ip", *command.split()], check=True)

    def read(self, port: int) -> Reading:
        """Return the packets to and from a server's port so far."""
        up, down = self._counts[port, True], self._counts[port, False]
        return Reading(Traffic(**vars(up)), Traffic(**vars(down)))

    def run(self) -> None:
        """Pass packets until the process ends."""
        while True:
            timeout = max(0.0, self._late[0][0] - time.monotonic()) if self._late else 1.0
            if select.select([self._device], [], [], timeout)[0]:
                self._take(os.read(self._device, 65536))
            while self._late and self._late[0][0] <= time.monotonic():
                os.write(self._device, heapq.heappop(self._late)[2])

    def _take(self, packet: bytes) -> None:
        if packet[0] >> 4 != 4 or packet[9] != TCP:
            return
        header = (packet[0] & 15) * 4
        source, target = struct.unpack_from("!HH", packet, header)
        # The client's port is one of the kernel's choosing, above every server's.
        is_up = target < source
        count = self._counts[min(source, target), is_up]
        count.packets += 1
        count.ip_bytes += len(packet)
        count.stream_bytes += len(packet) - header - (packet[header + 12] >> 4) * 4
        turned = packet[:12] + packet[16:20] + packet[12:16] + packet[20:]
        if not self.bits_per_second and not self.one_way_seconds and not self.loss:
            os.write(self._device, turned)
            return
        self._send_later(turned, is_up)

    def _send_later(self, packet: bytes, is_up: bool) -> None:
        now = time.monotonic()
        begins = max(now, self._free_at[is_up])
        waiting = int((begins - now) * self.bits_per_second / 8)
        if waiting + len(packet) > QUEUE_BYTES:
            self.lost += 1
            return
        if not is_up:
            self.waiting_bytes = max(self.waiting_bytes, waiting + len(packet))
        if self.bits_per_second:
            begins += len(packet) * 8 / self.bits_per_second
        self._free_at[is_up] = begins
        if self._chance.random() < self.loss:
            self.lost += 1
            return
        self._serial += 1
        heapq.heappush(self._late, (begins + self.one_way_seconds, self._serial, packet))
