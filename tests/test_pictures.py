"""Conversion of uploaded files to profile pictures, and files that are refused."""

import asyncio
import io
import struct
import warnings
import zlib
from time import thread_time
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from chat.accounts.pictures import MAX_BYTES, clean_picture
from chat.errors import Invalid

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="256" height="256"><script>alert(1)</script></svg>'
SIGNATURE = b"\x89PNG\r\n\x1a\n"
SECRET = b"taken at 52.5163 N, 13.3777 E"


def drawn(mode: str = "RGB", size: tuple[int, int] = (256, 256)) -> Image.Image:
    """A picture with a red left half and a blue right half, which has_red_left_and_blue_right recognises."""
    picture = Image.new("RGB", size, "red")
    picture.paste("blue", (size[0] // 2, 0, *size))
    return picture.convert(mode)


def saved(picture: Image.Image, format_: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, format_, **options)
    return out.getvalue()


def decoded(png: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(png), formats=["PNG"])
    picture.load()
    return picture


def has_red_left_and_blue_right(picture: Image.Image) -> bool:
    (r, g, b), (r2, g2, b2) = (picture.convert("RGB").getpixel((x, 100)) for x in (40, 210))  # type: ignore[misc]
    return r > 200 and b2 > 200 and max(g, b, r2, g2) < 60


def chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG chunk, RFC 2083 section 3.2."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_that_claims(width: int, height: int, data: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def frames(format_: str) -> bytes:
    return saved(drawn(), format_, save_all=True, append_images=[Image.new("RGB", (256, 256), "green")] * 3)


def kinds_of_chunks(png: bytes) -> set[bytes]:
    kinds, place = set(), len(SIGNATURE)
    while place < len(png):
        kinds.add(png[place + 4 : place + 8])
        place += 12 + int.from_bytes(png[place : place + 4])
    return kinds


def with_metadata(format_: str) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()  # ImageDescription
    options: dict[str, Any] = {"exif": exif, "icc_profile": SECRET * 10, "comment": SECRET}
    if format_ == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_text("Comment", SECRET.decode())
    return saved(drawn(), format_, **options)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(saved(drawn(), "PNG"), id="PNG"),
        pytest.param(saved(drawn("P"), "PNG"), id="PNG with a palette"),
        pytest.param(saved(drawn("RGBA"), "PNG"), id="PNG with alpha"),
        pytest.param(saved(drawn(), "JPEG"), id="JPEG"),
        pytest.param(saved(drawn(), "JPEG", progressive=True), id="progressive JPEG"),
        pytest.param(saved(drawn("CMYK"), "JPEG"), id="CMYK JPEG"),
        pytest.param(saved(drawn(), "WEBP"), id="WebP"),
        pytest.param(saved(drawn(), "WEBP", lossless=True), id="lossless WebP"),
        pytest.param(saved(drawn(), "GIF"), id="GIF"),
        pytest.param(frames("GIF"), id="animated GIF"),
        pytest.param(frames("PNG"), id="animated PNG"),
        pytest.param(frames("WEBP"), id="animated WebP"),
    ],
)
def test_picture_is_converted_to_png_of_its_first_frame(data: bytes) -> None:
    assert has_red_left_and_blue_right(Image.open(io.BytesIO(data)))
    clean = decoded(clean_picture(data))
    assert clean.size == (256, 256)
    assert getattr(clean, "n_frames", 1) == 1
    assert has_red_left_and_blue_right(clean)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(saved(drawn(), "BMP"), id="BMP"),
        pytest.param(saved(drawn(), "TIFF"), id="TIFF"),
        pytest.param(saved(drawn(), "ICO"), id="ICO"),
        pytest.param(saved(drawn(), "PPM"), id="PPM"),
        pytest.param(saved(drawn(), "JPEG2000"), id="JPEG 2000"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 256 256\n", id="EPS"),
        pytest.param(SVG, id="SVG"),
        pytest.param(b"", id="empty"),
        pytest.param(b"hello", id="text"),
        pytest.param(SIGNATURE, id="PNG signature only"),
        pytest.param(b"\xff\xd8\xff\xe0" + bytes(100), id="JPEG header only"),
        pytest.param(saved(drawn(size=(255, 256)), "PNG"), id="255x256"),
        pytest.param(saved(drawn(size=(256, 257)), "PNG"), id="256x257"),
        pytest.param(saved(drawn(size=(512, 512)), "JPEG"), id="512x512"),
        pytest.param(saved(drawn(size=(1, 1)), "GIF"), id="1x1"),
        pytest.param(saved(drawn(), "PNG") + bytes(MAX_BYTES), id="over 1 MiB"),
        pytest.param(png_that_claims(256, 256, b"not deflated"), id="PNG with malformed data"),
        pytest.param(png_that_claims(256, 256, zlib.compress(bytes(1000))), id="PNG with too few pixels"),
        pytest.param(png_that_claims(0, 0, b""), id="PNG of 0x0"),
    ],
)
def test_picture_of_wrong_format_or_size_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        clean_picture(data)


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "GIF"])
def test_picture_truncated_is_refused(format_: str) -> None:
    noise = Image.effect_noise((256, 256), 100).convert("RGB")
    data = saved(noise, format_)
    clean_picture(data)
    for part in (0.01, 0.1, 0.5, 0.8):
        with pytest.raises(Invalid):
            clean_picture(data[: int(len(data) * part)])


@pytest.mark.once
@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "GIF"])
def test_picture_with_flipped_bits_is_converted_or_refused(format_: str) -> None:
    data = frames(format_) if format_ != "JPEG" else with_metadata(format_)
    for place in range(0, min(len(data), 1500), 7):
        try:
            clean = clean_picture(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        except Invalid:
            continue
        assert decoded(clean).size == (256, 256)


def test_picture_over_1_mib_is_refused() -> None:
    picture = saved(drawn(), "PNG")
    filled = picture + bytes(MAX_BYTES - len(picture))
    assert len(filled) == 1024 * 1024
    clean_picture(filled)
    with pytest.raises(Invalid, match="1 MiB"):
        clean_picture(filled + b"\0")


@pytest.mark.parametrize("size", [(65_500, 65_500), (2**31 - 1, 2**31 - 1), (256, 2**31 - 1), (15_000, 15_000)])
def test_picture_decompression_bomb_is_refused_quickly(size: tuple[int, int]) -> None:
    bomb = png_that_claims(*size, zlib.compress(bytes(10_000_000)))
    assert len(bomb) < 20_000
    began = thread_time()
    with pytest.raises(Invalid):
        clean_picture(bomb)
    assert thread_time() - began < 1


def test_picture_text_chunk_bomb_is_refused_quickly() -> None:
    picture = saved(drawn(), "PNG")
    text = chunk(b"zTXt", b"bomb\0\0" + zlib.compress(bytes(50_000_000)))
    first_pixels = picture.index(b"IDAT") - 4
    bomb = picture[:first_pixels] + 20 * text + picture[first_pixels:]
    assert len(bomb) < MAX_BYTES
    began = thread_time()
    with pytest.raises(Invalid):
        clean_picture(bomb)
    assert thread_time() - began < 1


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "GIF"])
def test_picture_metadata_is_removed(format_: str) -> None:
    data = with_metadata(format_)
    assert SECRET in data
    clean = clean_picture(data)
    assert SECRET not in clean
    assert SECRET not in zlib.decompress(clean[clean.index(b"IDAT") + 4 : -16])
    picture = decoded(clean)
    assert not picture.info
    assert not picture.getexif()
    assert kinds_of_chunks(clean) == {b"IHDR", b"IDAT", b"IEND"}


@pytest.mark.parametrize(
    ("mode", "format_"), [("RGBA", "PNG"), ("LA", "PNG"), ("RGBA", "WEBP"), ("RGBA", "GIF"), ("PA", "PNG")]
)
def test_picture_transparency_is_kept(mode: str, format_: str) -> None:
    picture = drawn("RGBA")
    picture.paste((0, 0, 0, 0), (100, 100, 150, 150))
    data = saved(picture.convert(mode) if mode != "PA" else picture.quantize(), format_)
    for shown in (Image.open(io.BytesIO(data)).convert("RGBA"), decoded(clean_picture(data)).convert("RGBA")):
        assert shown.getpixel((120, 120))[3] == 0  # type: ignore[index]
        assert shown.getpixel((10, 10))[3] == 255  # type: ignore[index]


def test_picture_16_bit_grey_keeps_its_shades() -> None:
    grey = Image.new("I;16", (256, 256), 0x4000)
    assert grey.getpixel((5, 5)) == 0x4000
    clean = decoded(clean_picture(saved(grey, "PNG"))).convert("L")
    assert abs(clean.getpixel((5, 5)) - 0x40) <= 1  # type: ignore[operator]


def test_picture_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # Orientation: turned by 180 degrees
    turned = saved(drawn().rotate(180), "JPEG", exif=exif)
    assert not has_red_left_and_blue_right(Image.open(io.BytesIO(turned)))
    assert has_red_left_and_blue_right(decoded(clean_picture(turned)))


async def test_picture_conversion_in_threads_keeps_warning_filters() -> None:
    data = frames("GIF")
    loop = asyncio.get_running_loop()
    with warnings.catch_warnings():  # so that a failure does not affect other tests
        before = list(warnings.filters)
        await asyncio.gather(*(loop.run_in_executor(None, clean_picture, data) for _ in range(200)))
        after = list(warnings.filters)
    assert after == before
