"""Images, sounds, videos and files: data URIs, addresses and ids, in every spelling of clients."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.conversing import parts, talk

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.conversation.parts import MediaPart

DATA = base64.b64encode(b"\x89PNG").decode()


def media(part: dict) -> MediaPart:
    (((found,)),) = parts({"role": "user", "content": [part]})
    assert isinstance(found, MediaPart)
    return found


def image(url: object, **said) -> dict:
    return {"type": "image_url", "image_url": {"url": url, **said}}


@pytest.mark.parametrize(
    ("uri", "media_type"),
    [
        (f"data:image/png;base64,{DATA}", "image/png"),
        (f"data:image/jpg;base64,{DATA}", "image/jpeg"),
        (f"data:IMAGE/PNG;base64,{DATA}", "image/png"),
        (f"data:image/png;name=a.png;base64,{DATA}", "image/png"),
        (f"data:;base64,{DATA}", "text/plain"),
        (f"data:image/png;base64,{DATA[:3]}\r\n {DATA[3:]}", "image/png"),
        (f"data:image/png;base64,{DATA.rstrip('=')}", "image/png"),
        (f"data:image/png;base64,{DATA.replace('=', '%3D')}", "image/png"),
    ],
)
def test_a_data_uri_says_its_type_and_its_data(uri: str, media_type: str):
    assert media(image(uri)) == MediaPart("image", media_type, data=DATA)


def test_the_alphabet_for_addresses_becomes_the_usual_one():
    assert media(image("data:image/png;base64,_-_-")).data == "/+/+"


def test_a_data_uri_of_text_is_decoded():
    part = {
        "type": "file",
        "file": {"file_data": "data:text/plain,caf%C3%A9 ok", "filename": "a.txt"},
    }
    text = base64.b64encode("café ok".encode()).decode()
    assert media(part) == MediaPart("file", "text/plain", data=text, name="a.txt")


@pytest.mark.parametrize(
    ("url", "media_type"),
    [
        ("https://x/y.png", "image/png"),
        ("http://x/y.JPG?size=1.webp", "image/jpeg"),
        ("https://x/y", ""),
        ("gs://bucket/y.gif", "image/gif"),
        ("s3://bucket/y.webp", "image/webp"),
    ],
)
def test_an_address_says_its_type_by_its_ending_or_not_at_all(url: str, media_type: str):
    assert media(image(url, detail="low")) == MediaPart("image", media_type, url=url, detail="low")


@pytest.mark.parametrize("kind", ["image_url", "video_url", "document_url", "file_url"])
def test_an_address_may_stand_alone_or_in_an_object(kind: str):
    url = "https://x/y"
    alone, held = media({"type": kind, kind: url}), media({"type": kind, kind: {"url": url}})
    assert alone == held
    assert alone.kind == {"image_url": "image", "video_url": "video"}.get(kind, "file")


@pytest.mark.parametrize(
    ("form", "media_type"),
    [("wav", "audio/wav"), ("mp3", "audio/mpeg"), ("m4a", "audio/mp4"), (None, "audio/wav")],
)
def test_a_sound_has_data_and_a_form(form: str | None, media_type: str):
    part = {"type": "input_audio", "input_audio": {"data": DATA, "format": form}}
    assert media(part) == MediaPart("audio", media_type, data=DATA)


@pytest.mark.parametrize("data", [f"data:audio/mp3;base64,{DATA}", "https://x/y.mp3"])
def test_a_sound_may_be_an_address(data: str):
    found = media({"type": "input_audio", "input_audio": {"data": data, "format": "mp3"}})
    assert (found.kind, found.data or found.url) in [("audio", DATA), ("audio", data)]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ({"file_id": "file-1"}, MediaPart("file", "", id="file-1")),
        ({"file_data": f"data:application/pdf;base64,{DATA}", "filename": "a.pdf"},
         MediaPart("file", "application/pdf", data=DATA, name="a.pdf")),
        ({"file_data": DATA, "filename": "a.csv"}, MediaPart("file", "text/csv", data=DATA, name="a.csv")),
        ({"file_data": DATA}, MediaPart("file", "application/pdf", data=DATA)),
        ({"url": "https://x/a.pdf"}, MediaPart("file", "application/pdf", url="https://x/a.pdf")),
        ({"file_data": "gs://x/a.pdf"}, MediaPart("file", "application/pdf", url="gs://x/a.pdf")),
    ],
)  # fmt: skip
def test_a_file_has_data_an_address_or_an_id(file: dict, expected: MediaPart):
    assert media({"type": "file", "file": file}) == expected


@pytest.mark.parametrize(
    "part",
    [
        image("nonsense"),
        image(""),
        image("data:image/png;base64,"),
        image("data:no-comma"),
        image("data:image/png;base64,!!!!not-base64!!!!"),
        {"type": "input_audio", "input_audio": {"data": "no base64!", "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": "données", "format": "wav"}},
        {"type": "file", "file": {"file_data": "{}"}},
        {"type": "input_audio", "input_audio": {}},
        {"type": "file", "file": {"filename": "a.pdf"}},
        {"type": "hologram", "hologram": {}},
        {"type": "image_url"},
    ],
)
def test_what_holds_nothing_or_is_of_no_known_kind_cannot_be_said(part: dict):
    with pytest.raises(UpstreamFailed) as caught:
        talk({"role": "user", "content": [{"type": "text", "text": "x"}, part]})
    assert caught.value.failure.fault is Fault.UNTRANSLATABLE
    assert str(caught.value.failure.param).startswith("messages[0].content[1]")


@given(
    st.text(max_size=40),
    st.sampled_from(["image_url", "video_url", "file_url", "input_audio", "file"]),
)
def test_any_address_is_read_or_refused(text: str, kind: str):
    holder = {"url": text, "data": text, "file_data": text}
    with suppress(UpstreamFailed):
        found = media({"type": kind, kind: holder})
        assert [found.data, found.url, found.id].count(None) == 2
