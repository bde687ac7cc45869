"""Harm done to weights files and presets."""

from __future__ import annotations

import io
import json
import zipfile
from random import Random

from tests.fuzz.media import mutate_media

__all__ = ["mutate_pth", "mutate_safetensors", "mutate_toml"]

ODD = (0, -1, 1, 2**31, 2**63, -(2**63), 0.5, "", "F32", "x" * 100, None, True, [], {}, [[]], [0], [2**40, 2**40])
VALUES = (
    "0", "-1", "99999999999999999999", "1e400", "nan", "inf", '""', "'a'", '"../../x"', "true", "[]", "{}",
    "[[1]]", "[1, 'x']", "1979-05-27T07:32:00Z", "'''\n'''", '"\\u0000"', "[" * 500 + "]" * 500,
    "{a = {b = 1}}", '"' + "x" * 5000 + '"', "0x7fffffff",
)  # fmt: skip


def mutate_safetensors(data: bytes, random: Random) -> bytes:
    """The header (eight bytes of length, then JSON), or anything."""
    if random.random() < 0.4:
        return mutate_media(data, random)
    length = int.from_bytes(data[:8], "little")
    header, tensors = json.loads(data[8 : 8 + length]), data[8 + length :]
    for _ in range(random.choice((1, 2, 3))):
        _harm_entry(header, random)
    text = json.dumps(header).encode()
    if random.random() < 0.2:
        text = b'{"a":' * 5000 + text
    length = len(text) if random.random() < 0.8 else random.choice((0, 1, 2**31, 2**63, len(text) - 1))
    return length.to_bytes(8, "little") + text + tensors


def _harm_entry(header: dict[str, object], random: Random) -> None:
    name = random.choice(list(header))
    action, entry = random.randrange(5), header[name]
    if action == 0:
        del header[name]
    elif action == 1:
        header[f"{name}.x"] = entry
    elif action == 2:
        header[name] = random.choice(ODD)
    elif isinstance(entry, dict) and entry:
        key = random.choice(list(entry))
        value = entry[key]
        if isinstance(value, list) and value and action == 3:
            value[random.randrange(len(value))] = random.choice(ODD)
        else:
            entry[key] = random.choice(ODD)


def mutate_pth(data: bytes, random: Random) -> bytes:
    """A pickle within a ZIP file, or anything."""
    if random.random() < 0.4:
        return mutate_media(data, random)
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(result, "w") as target:
        chosen = random.choice(source.namelist())
        for name in source.namelist():
            content = source.read(name)
            if name == chosen or name.endswith("data.pkl"):
                content = mutate_media(content, random) if len(content) > 20 else b""
            if name != chosen or random.random() < 0.8:
                target.writestr(name, content)
    return result.getvalue()


def mutate_toml(data: bytes, random: Random) -> bytes:
    """Other values for its keys, keys twice, tables, or anything."""
    if random.random() < 0.2:
        return mutate_media(data, random)
    lines = data.decode().splitlines()
    for _ in range(random.choice((1, 1, 2))):
        at = random.randrange(len(lines))
        key = lines[at].partition("=")[0]
        lines[at] = random.choice((f"{key}= {random.choice(VALUES)}", f"[{key}]", f"{key}.x = 1", lines[at] * 2, ""))
    return "\n".join(lines).encode()
