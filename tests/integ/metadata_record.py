"""Reads the records of the data channel (docs/api.md, "The record")."""


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _zigzag(value):
    return -(value + 1 >> 1) if value & 1 else value >> 1


def read(data):
    """A record as a dictionary; raises IndexError or ValueError for what is none."""
    if data[0] != 1:
        raise ValueError(f"version {data[0]}")
    record = {
        "predicted": bool(data[1] & 1),
        "rtp": int.from_bytes(data[2:6], "big"),
        "capture_us": int.from_bytes(data[6:12], "big"),
        "sent_ms": int.from_bytes(data[12:14], "big") / 10,
        "stages_ms": {},
        "objects": [],
        "names": {},
        "sections": {},
        "zones": [],
        "counts": [],
        "bytes": len(data),
    }
    at, time = 15, 0
    for bit, name in enumerate(["decoded", "infer_start", "infer_end", "drawn", "encoded"]):
        if data[14] >> bit & 1:
            step, at = _varint(data, at)
            time += _zigzag(step)
            record["stages_ms"][name] = time / 10
    record["width"], at = _varint(data, at)
    record["height"], at = _varint(data, at)
    count, at = _varint(data, at)
    for _ in range(count):
        class_id, at = _varint(data, at)
        track_id, at = _varint(data, at)
        confidence = data[at] / 255
        packed = int.from_bytes(data[at + 1 : at + 7], "big")
        box = [(packed >> shift & 0xFFF) / 4095 for shift in (36, 24, 12, 0)]
        record["objects"].append({"class_id": class_id, "track_id": track_id, "confidence": confidence, "box": box})
        at += 7
    while at < len(data):
        kind = data[at]
        size, at = _varint(data, at + 1)
        section, at = data[at : at + size], at + size
        record["sections"][kind] = size
        place = 0
        while kind == 1 and place < len(section):
            class_id, place = _varint(section, place)
            name = section[place + 1 : place + 1 + section[place]]
            record["names"][class_id] = name.decode()
            place += 1 + section[place]
        while kind == 5 and place < len(section):
            head, place = _varint(section, place)
            packed = [int.from_bytes(section[place + 3 * i : place + 3 * i + 3], "big") for i in range(head >> 1)]
            place += 3 * len(packed)
            name = section[place + 1 : place + 1 + section[place]]
            place += 1 + section[place]
            points = [[(point >> 12) / 4095, (point & 0xFFF) / 4095] for point in packed]
            record["zones"].append({"line": bool(head & 1), "points": points, "name": name.decode()})
        while kind == 6 and place < len(section):
            head, place = _varint(section, place)
            counted = {"count": head >> 2}
            if head & 2:
                counted["out"], place = _varint(section, place)
            if head & 1:
                counted["ago_ms"], place = section[place] * 10, place + 1
            record["counts"].append(counted)
    return record
