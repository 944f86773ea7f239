"""Whether the disk is encrypted is read from what the kernel shows of its devices."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.foundation.disk_encryption import is_encrypted


class Machine:
    """A made-up /sys and mountinfo for the real folder."""

    def __init__(self, root: Path) -> None:
        self.system = root / "sys"
        self.mounts = root / "mountinfo"
        self.folder = root / "data"
        self.folder.mkdir()
        number = os.stat(self.folder).st_dev
        self.number = f"{os.major(number)}:{os.minor(number)}"
        (self.system / "dev" / "block").mkdir(parents=True)
        (self.system / "class" / "block").mkdir(parents=True)
        self.mounts.write_text("")

    def device(self, path: str, uuid: str = "", below: tuple[Path, ...] = ()) -> Path:
        made = self.system / "devices" / path
        (made / "slaves").mkdir(parents=True)
        if uuid:
            (made / "dm").mkdir()
            (made / "dm" / "uuid").write_text(f"{uuid}\n")
        for part in below:
            (made / "slaves" / part.name).symlink_to(part)
        (self.system / "class" / "block" / made.name).symlink_to(made)
        return made

    def carries(self, device: Path) -> None:
        (self.system / "dev" / "block" / self.number).symlink_to(device)

    def looked_at(self) -> bool | None:
        return is_encrypted(self.folder, system=self.system, mounts=self.mounts)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def partition(machine: Machine, of: str = "sda", uuid: str = "") -> Path:
    machine.device(of, uuid)
    made = machine.device(f"{of}/{of}1")
    (made / "partition").write_text("1\n")
    return made


def test_a_plain_partition_is_not(machine: Machine) -> None:
    machine.carries(partition(machine))
    assert machine.looked_at() is False


def test_luks_is(machine: Machine) -> None:
    machine.carries(machine.device("virtual/dm-0", "CRYPT-LUKS2-abc-data", (partition(machine),)))
    assert machine.looked_at() is True


def test_a_volume_on_luks_is_and_one_on_both_is_not(machine: Machine) -> None:
    secret = machine.device("virtual/dm-0", "CRYPT-LUKS2-abc-data", (partition(machine),))
    machine.carries(machine.device("virtual/dm-1", "LVM-xyz", (secret,)))
    assert machine.looked_at() is True
    mixed = machine.device("virtual/dm-2", "LVM-uvw", (secret, partition(machine, "sdb")))
    (machine.system / "dev" / "block" / machine.number).unlink()
    machine.carries(mixed)
    assert machine.looked_at() is False


def test_a_partition_inside_an_encrypted_device_is(machine: Machine) -> None:
    machine.carries(partition(machine, "dm-0", uuid="CRYPT-PLAIN-x"))
    assert machine.looked_at() is True


def test_a_file_system_without_a_device_of_its_own_is_found_by_its_mount(machine: Machine) -> None:
    """As btrfs."""
    machine.device("virtual/dm-0", "CRYPT-LUKS2-abc-data")
    line = f"36 25 {machine.number} / /srv rw - btrfs /dev/dm-0 rw"
    machine.mounts.write_text(f"35 25 0:99 / /x rw - tmpfs tmpfs rw\n{line}\n")
    assert machine.looked_at() is True


@pytest.mark.parametrize("line", ["", "36 25 {} / /srv rw - overlay overlay rw", "36 25 {} / /srv rw", "x"])
def test_what_cannot_be_told_is_said_so(machine: Machine, line: str) -> None:
    machine.mounts.write_text(line.format(machine.number))
    assert machine.looked_at() is None


def test_it_looks_at_this_machine_too(tmp_path: Path) -> None:
    assert is_encrypted(tmp_path) in {True, False, None}
