"""Images and documents that Claude is given."""

import base64
import json

import pytest
from tests.providers.anthropic_asking import blocks, call, lossy, refused
from tests.providers.asking import text, user

PNG = "data:image/png;base64,AAAA"
PDF = "data:application/pdf;base64,JVBERi0="
ADDRESS = "https://example.org/a.png"
GOOGLE = "https://x/publishers/anthropic/models/{model}:{action}"


def image(url: str, **said) -> dict:
    return {"type": "image_url", "image_url": {"url": url, **said}}


def file(**said) -> dict:
    return {"type": "file", "file": said}


def only(part: dict, **said) -> dict:
    ((block,),) = blocks(user(part), **said)
    return block


def coded(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def test_an_image_is_given_by_its_data_or_its_address():
    source = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    assert only(image(PNG)) == {"type": "image", "source": source}
    assert only(image(ADDRESS)) == {"type": "image", "source": {"type": "url", "url": ADDRESS}}
    assert only(image(PNG, detail="auto"))["source"] == source
    assert only(image("data:image/jpg;base64,AA"))["source"]["media_type"] == "image/jpeg"


def test_how_closely_an_image_is_looked_at_is_listed():
    assert lossy(user(image(PNG, detail="low")))[1] == ("messages[0].content[0].image_url.detail",)


def test_a_pdf_is_a_document_with_its_name():
    block = only(file(file_data=PDF, filename="a.pdf"))
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    assert block == {"type": "document", "source": source, "title": "a.pdf"}
    address = "https://example.org/a.pdf"
    assert only(file(file_data=address))["source"] == {"type": "url", "url": address}


@pytest.mark.parametrize("media_type", ["text/plain", "text/csv", "application/json"])
def test_a_text_file_is_a_document_of_plain_text(media_type: str):
    block = only(file(file_data=coded("wörld".encode(), media_type)))
    assert block["source"] == {"type": "text", "media_type": "text/plain", "data": "wörld"}


def test_an_image_as_a_file_is_an_image():
    assert only(file(file_data=PNG))["type"] == "image"


def test_a_file_of_anthropics_own_is_named_by_its_id_under_a_beta():
    part = file(file_id="file_011", filename="a")
    assert only(part)["source"] == {"type": "file", "file_id": "file_011"}
    assert call(user(part)).headers["anthropic-beta"] == "files-api-2025-04-14"
    both = call(user(part), source={"headers": {"anthropic-beta": "x"}})
    assert both.headers["anthropic-beta"] == "x,files-api-2025-04-14"
    assert "anthropic-beta" not in call(user(file(file_data=PDF))).headers


@pytest.mark.parametrize(
    ("part", "path"),
    [
        (image("data:image/tiff;base64,AAAA"), "messages[0].content[0].image_url"),
        (image("gs://bucket/a.png"), "messages[0].content[0].image_url"),
        (file(file_id="file-openai"), "messages[0].content[0].file.file_id"),
        (file(file_data=coded(b"\xff", "text/plain")), "messages[0].content[0].file"),
        (file(file_data=coded(b"PK", "application/zip")), "messages[0].content[0].file"),
        (file(file_data="https://example.org/a.docx"), "messages[0].content[0].file"),
        (
            {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
            "messages[0].content[0].input_audio",
        ),
        (
            {"type": "video_url", "video_url": {"url": "https://example.org/a.mp4"}},
            "messages[0].content[0].video_url",
        ),
    ],
)
def test_what_claude_cannot_read_is_refused(part: dict, path: str):
    assert refused(user(part)) == path


def test_clouds_fetch_nothing():
    assert refused(user(image(ADDRESS)), url=GOOGLE) == "messages[0].content[0].image_url"
    assert refused(user(file(file_id="file_011")), url=GOOGLE) == "messages[0].content[0].file"
    assert only(image(PNG), url=GOOGLE)["type"] == "image"


def test_markers_of_the_cache_stand_on_images_and_documents():
    marker = {"type": "ephemeral"}
    parts = [{**image(PNG), "cache_control": marker}, text("a")]
    ((block, _),) = blocks(user(*parts))
    assert block["cache_control"] == marker
    said = json.loads(call(user({**file(file_data=PDF), "cache_control": marker})).body)
    assert said["messages"][0]["content"][0]["cache_control"] == marker
