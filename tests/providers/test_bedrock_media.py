"""Pictures, documents, videos and sounds as Bedrock takes them."""

import pytest
from tests.providers.asking import HELLO, answered, calling, picture, text, user
from tests.providers.bedrock_asking import NOVA, QWEN, data, file, lossy, refused, turns


def test_pictures_are_given_as_bytes_or_from_s3():
    sent = turns(user(picture(data("image/png", b"png")), picture("s3://bucket/a.jpg")))
    assert sent == [
        ("user", [{"image": {"format": "png", "source": {"bytes": "cG5n"}}},
                  {"image": {"format": "jpeg",
                             "source": {"s3Location": {"uri": "s3://bucket/a.jpg"}}}}]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("part", "path"),
    [
        (picture("https://example.com/a.png"), "messages[0].content[1].image_url"),
        (picture(data("image/tiff")), "messages[0].content[1].image_url"),
        (picture("s3://bucket/unknown"), "messages[0].content[1].image_url"),
        ({"type": "file", "file": {"file_id": "file-1"}}, "messages[0].content[1].file"),
        (file(data("application/zip")), "messages[0].content[1].file"),
        ({"type": "input_audio", "input_audio": {"data": "eA==", "format": "odd"}},
         "messages[0].content[1].input_audio"),
    ],
)  # fmt: skip
def test_what_bedrock_does_not_take_is_refused(part: dict, path: str):
    assert refused(user(text("Look"), part)) == path


def test_a_wish_for_detail_is_listed():
    _, dropped = lossy(user(picture(data("image/png"), detail="low")))
    assert dropped == ("messages[0].content[0].image_url.detail",)


@pytest.mark.parametrize(
    ("url", "kind", "form"),
    [
        (data("application/pdf"), "document", "pdf"),
        (data("text/csv"), "document", "csv"),
        (data("text/x-python"), "document", "txt"),
        (data("application/json"), "document", "txt"),
        (data("application/msword"), "document", "doc"),
        (data("image/webp"), "image", "webp"),
        (data("video/mp4"), "video", "mp4"),
        ("s3://bucket/sheet.xlsx", "document", "xlsx"),
    ],
)
def test_files_become_what_they_are(url: str, kind: str, form: str):
    ((_, blocks),) = turns(user(text("Read"), file(url)))
    assert blocks[1][kind]["format"] == form


def test_videos_and_sounds_have_blocks_of_their_own():
    clip = {"type": "video_url", "video_url": {"url": data("video/quicktime")}}
    sound = {"type": "input_audio", "input_audio": {"data": "eA==", "format": "mp3"}}
    ((_, blocks),) = turns(user(clip, sound), native=NOVA)
    assert [next(iter(one)) for one in blocks] == ["video", "audio"]
    assert [one[kind]["format"] for one, kind in zip(blocks, ("video", "audio"), strict=True)] == [
        "mov",
        "mp3",
    ]


def test_documents_have_names_the_vendor_takes_each_once():
    pdf = data("application/pdf")
    names = ["report.pdf", "Report.docx", "a/b  \u00e9.pdf", None, "x" * 300 + ".pdf", "(a) [b]-c"]
    said, dropped = lossy(user(text("Read"), *(file(pdf, name) for name in names)))
    blocks = said["messages"][0]["content"]
    found = [one["document"]["name"] for one in blocks if "document" in one]
    assert found == ["report", "Report-2", "a-b -", "document", "x" * 190, "(a) [b]-c"]
    assert dropped == tuple(f"messages[0].content[{place}].file.filename" for place in (2, 3, 5))


def test_a_document_never_stands_without_a_word():
    ((_, blocks),) = turns(user(file(data("application/pdf"), "report.pdf")))
    assert blocks[0] == {"text": "report"}
    assert blocks[1]["document"]["name"] == "report"


def test_a_result_may_hold_the_media_the_model_takes_there():
    shown = answered([text("See"), picture(data("image/png"))])
    said, _ = lossy(HELLO, calling(), shown)
    content = said["messages"][2]["content"][0]["toolResult"]["content"]
    assert [next(iter(one)) for one in content] == ["text", "image"]
    assert refused(HELLO, calling(), shown, native=QWEN) == "messages[2].content[1].image_url"
    paper = answered([file(data("application/pdf"))])
    assert refused(HELLO, calling(), paper, native=NOVA) == "messages[2].content[0].file"
