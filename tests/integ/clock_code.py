"""Reads and draws the machine-readable clock (src/source/clock_code.h) in a luma plane."""

COLUMNS, ROWS = 16, 4


def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def side_of(height):
    return max(8, height // 45 // 2 * 2)


def read(luma):
    """luma: a numpy array of rows. Wall clock in microseconds modulo 2^48, or None."""
    height, width = luma.shape
    side = side_of(height)
    if width < COLUMNS * side or height < ROWS * side:
        return None
    bits = 0
    for row in range(ROWS):
        for column in range(COLUMNS):
            y, x = row * side + side // 2, column * side + side // 2
            bits = bits << 1 | int(luma[y - 1:y + 2, x - 1:x + 2].mean() >= 128)
    stamp, check = bits >> 16, bits & 0xFFFF
    return stamp if crc16(stamp.to_bytes(6, "big")) == check else None


def draw(luma, wall_us):
    """luma: a numpy array of rows, at least COLUMNS x ROWS squares large."""
    side = side_of(luma.shape[0])
    stamp = wall_us % 2**48
    bits = stamp << 16 | crc16(stamp.to_bytes(6, "big"))
    for i in range(COLUMNS * ROWS):
        y, x = i // COLUMNS * side, i % COLUMNS * side
        luma[y:y + side, x:x + side] = 235 if bits >> (COLUMNS * ROWS - 1 - i) & 1 else 16
