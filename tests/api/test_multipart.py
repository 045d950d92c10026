"""Forms with files: read where they are, refused where two readers could disagree."""

import contextlib
import email.parser
import email.policy

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.api.caller import BEARER, refused
from tests.api.working import MODELS, form, upload, wave, working
from tests.conftest import Gateway, Start

from infway.api.multipart import MOST_PARTS, read_form
from infway.kernel.errors import CallerError

KIND = b"multipart/form-data; boundary=xx"
WAV = ("a.wav", wave(0.1), "audio/wav")
PLACES = ["/v1/audio/transcriptions", "/v1/audio/translations", "/v1/images/edits"]

names = st.text(st.characters(codec="utf-8", exclude_characters='"\\\r\n', exclude_categories=["Cc"]),
                min_size=1, max_size=20)  # fmt: skip
values = st.binary(max_size=200) | st.sampled_from(
    [b"--xx", b"\r\n--xx", b"\r\n--xxy\r\n", b"\r\n", b"-", b"\r\n--x"]
)
parts = st.lists(st.tuples(names, st.none() | names, values), max_size=6)


def written(said: list[tuple[str, str | None, bytes]], boundary: bytes = b"b0undary") -> bytes:
    """Write a form as RFC 7578 has it."""
    body = b""
    for name, filename, value in said:
        head = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
        body += b"--%b\r\nContent-Disposition: %b\r\n\r\n%b\r\n" % (boundary, head.encode(), value)
    return body + b"--%b--\r\n" % boundary


def taken_apart(kind: bytes, body: bytes) -> list[tuple[str, bytes]]:
    """Read a form with Python's own parser of e-mails."""
    whole = b"Content-Type: " + kind + b"\r\n\r\n" + body
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(whole)
    found = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        found.append((str(name), part.get_payload(decode=True) or b""))
    return found


@given(parts)
def test_what_was_written_is_read(said: list[tuple[str, str | None, bytes]]) -> None:
    read = read_form(b"multipart/form-data; boundary=b0undary", written(said))
    assert [(one.name, one.filename, read.value(one)) for one in read.parts] == said


@given(parts, st.text("abc/-.", min_size=1, max_size=30).map(str.encode))
def test_one_field_is_said_anew_and_all_else_stays(
    said: list[tuple[str, str | None, bytes]], native: bytes
) -> None:
    kind = b"multipart/form-data; boundary=b0undary"
    with_model = [*said[:2], ("model", None, b"old"), *said[2:]]
    again = read_form(kind, written(with_model)).written("model", native)
    expected = [(n, f, native if n == "model" else v) for n, f, v in with_model]
    assert again == written(expected)
    added = read_form(kind, read_form(kind, written(said)).written("model", native))
    told = [(one.name, added.value(one)) for one in added.parts]
    known = [(n, native if n == "model" else v) for n, _, v in said]
    assert told == (known if any(n == "model" for n, _ in known) else [("model", native), *known])
    assert read_form(kind, written(with_model)).written("model", native, {"model", "none"}) == again


def test_pythons_own_parser_reads_a_form_as_infway_does() -> None:
    kind, body = form({"file": WAV}, model="t1", prompt="ä\n")
    read = read_form(kind.encode(), body)
    ours = [(one.name, read.value(one)) for one in read.parts]
    assert ours == taken_apart(kind.encode(), body)
    assert read.written("model", b"t1") == body
    without = read_form(kind.encode(), read.written("model", b"native", {"prompt"}))
    assert [one.name for one in without.parts] == ["model", "file"]


@given(st.binary(max_size=300) | st.lists(st.sampled_from(
    [b"--xx", b"\r\n", b"--", b"Content-Disposition: form-data", b'; name="a"', b"; name=", b'"',
     b"\r\n\r\n", b"a", b" ", b"content-disposition:", b"\xff"]), max_size=30).map(b"".join),
    st.sampled_from([KIND, KIND + b"; boundary=yy", b"multipart/form-data", b"", b'a; boundary="xx"']))  # fmt: skip
def test_bytes_are_a_form_or_are_refused(body: bytes, kind: bytes) -> None:
    with contextlib.suppress(CallerError):
        read = read_form(kind, body)
        assert read.written("model", b"m").endswith(body[read.closing :])
        assert all(part.start < part.value <= part.end < read.closing for part in read.parts)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--xx",
        b"--xx\r\n",
        b"--xx\r\n\r\nvalue\r\n--xx--",
        b'--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\nb',
        b'--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\n--xx--',
        b'--xx\r\nContent-Disposition: form-data; name=""\r\n\r\nb\r\n--xx--',
        b'--xx\r\nContent-Disposition: attachment; name="a"\r\n\r\nb\r\n--xx--',
        b'--xx\r\nContent-Disposition: form-data; name="a"; name="b"\r\n\r\nb\r\n--xx--',
        b"--xx\r\nX: " + b"y" * 9000 + b"\r\n\r\nb\r\n--xx--",
        b"--xxy\r\nvalue\r\n--xx--",
        b"--xx--after",
        (b'--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n' * (MOST_PARTS + 1))
        + b"--xx--",
    ],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(CallerError) as told:
        read_form(KIND, body)
    assert (told.value.status, told.value.code) == (400, "invalid_request_body")


@pytest.mark.parametrize("odd", [b"\xe9", b"\x00", b"\x7f", b"\r\nx: y"])
def test_a_content_type_that_goes_along_is_printable_ascii(odd: bytes) -> None:
    body = b'--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--xx--'
    with pytest.raises(CallerError) as told:
        read_form(b"multipart/form-data; boundary=xx; odd=" + odd, body)
    assert told.value.status == 400


DEAR = b'Content-Disposition: form-data; name="model"'
CHEAP = b'--xx\r\nContent-Disposition: form-data; name="model"\r\n\r\ncheap\r\n'


@pytest.mark.parametrize(
    "hidden",
    [
        b"\n--xx\n" + DEAR + b"\n\ndear\r\n",
        b"before\r\n",
        b"\r\n",
        b"--xx\r\nX-A: 1\n"
        + DEAR
        + b'\r\nContent-Disposition: form-data; name="y"\r\n\r\ndear\r\n',
        b"--xx\r\nX-A: 1\r"
        + DEAR
        + b'\r\nContent-Disposition: form-data; name="y"\r\n\r\ndear\r\n',
        b"--xx\r\n" + DEAR + b'\r\nContent-Disposition: form-data; name="y"\r\n\r\ndear\r\n',
        *(
            b"--xx\r\nContent-Disposition: form-data; " + said + b"\r\n\r\ndear\r\n"
            for said in (
                b"name=\"y\"; name*=UTF-8''model",
                b'name="y"; name*0=mod; name*1=el',
                b'name="y"; Name*0="model"',
                b"name=model y",
                b'name ="model"; x=1',
                b'name="mo\\del"',
                b'filename="a\\";name=model;x="; name="y"',
                b'x="; name="model"; name="y"',
                b'name="y"\r\n ; name="model"',
                b'name="y"\r\n--xx\r\n' + DEAR,
            )
        ),
        b'--xx\r\nContent-Disposition: form-data; name="y"\r\n\r\na\n--xx\r\n'
        + DEAR
        + b"\r\n\r\ndear\r\n",
        b'--xx\r\nContent-Disposition: form-data; name="y"\r\n\r\na\r--xx\r\n'
        + DEAR
        + b"\r\n\r\ndear\r\n",
        b'--xx\r\nContent-Disposition: form-data; name="y"\r\n\r\na\r\n--xx\n'
        + DEAR
        + b"\n\ndear\r\n",
        b'--xx\r\nContent-Disposition: form-data; name="y"\r\n\r\na\r\n--xx--\n' + CHEAP,
    ],
)
def test_a_field_that_only_other_readers_see_is_refused(hidden: bytes) -> None:
    assert read_form(KIND, CHEAP + b"--xx--\r\n").named("model")
    with pytest.raises(CallerError) as told:
        read_form(KIND, hidden + CHEAP + b"--xx--\r\n")
    assert (told.value.status, told.value.code) == (400, "invalid_request_body")


@pytest.mark.parametrize(
    "boundary",
    [b"xx yy", b"xx=yy", b"xx; boundary*=yy", b"xx; boundary*0=yy", b'"xx\\"', b'xx; a="; b="c"'],
)
def test_a_boundary_that_other_readers_read_otherwise_is_refused(boundary: bytes) -> None:
    said = boundary.partition(b";")[0].strip(b'"')
    with pytest.raises(CallerError, match="form cannot be read"):
        read_form(b"multipart/form-data; boundary=" + boundary, CHEAP.replace(b"xx", said))


@pytest.mark.parametrize(
    "value", [b"a --xx", b"--xx", b"\n-xx", b"\r\n\r\n", b"--xx--", b"\r", b""]
)
def test_a_boundary_in_the_middle_of_a_line_is_only_text(value: bytes) -> None:
    body = written([("a", None, b"-" + value), ("b", "C:\\a.wav", value[1:])], b"xx")
    read = read_form(KIND, body)
    assert [read.value(one) for one in read.parts] == [b"-" + value, value[1:]]


def test_spaces_bare_names_and_blank_lines_at_the_end_are_allowed() -> None:
    body = b"--xx  \r\ncontent-disposition:form-data;name=a\r\n\r\nb\r\n--xx-- \r\n\r\n"
    read = read_form(b'Multipart/Form-Data; charset=utf-8; Boundary="xx"', body)
    assert [(one.name, read.value(one)) for one in read.parts] == [("a", b"b")]
    assert read.written("a", b"c") == body.replace(b"\r\nb\r\n", b"\r\nc\r\n")


@pytest.mark.parametrize(
    ("files", "fields", "code", "param"),
    [
        ({}, {"model": "t1"}, "missing_required_field", "file"),
        ({"file": WAV}, {}, "missing_required_field", "model"),
        ({"file": WAV}, {"model": " "}, "invalid_field", "model"),
        ({"file": WAV, "model": (None, b"\xff")}, {}, "invalid_field", "model"),
        ([("file", WAV), ("model", (None, "t1")), ("model", (None, "t2"))], {}, "invalid_field",
         "model"),
        ({"file": WAV}, {"model": "t1", "prompt": "x" * 70_000}, "invalid_field", "prompt"),
    ],
)  # fmt: skip
async def test_a_wrong_field_of_a_form_is_named(
    start: Start, files: object, fields: dict[str, str], code: str, param: str
) -> None:
    async with working(start) as gateway:
        files = files or {"other": WAV}
        refused(await upload(gateway, PLACES[0], files, **fields), 400, code, param)
        assert gateway.upstream.asked == []


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/mixed"])
async def test_another_type_than_a_form_is_refused(start: Start, kind: str) -> None:
    async with working(start) as gateway:
        headers = (BEARER, ("Content-Type", kind))
        for path in ("/v1/audio/transcriptions", "/v1/images/variations"):
            heard = await gateway.send("POST", path, headers, b"{}")
            refused(heard, 415, "unsupported_media_type")
        form_kind = ("Content-Type", "multipart/form-data; boundary=xx")
        for path in ("/v1/rerank", "/v1/images/generations", "/v1/chat/completions"):
            heard = await gateway.send("POST", path, (BEARER, form_kind), b"--xx--")
            refused(heard, 415, "unsupported_media_type")
        heard = await gateway.send(
            "POST", PLACES[0], (BEARER, form_kind, ("Content-Encoding", "gzip")), b"--xx--"
        )
        refused(heard, 415, "unsupported_media_type")


async def test_no_form_makes_a_server_error(start: Start) -> None:
    async with working(start) as gateway:
        await _no_server_error(gateway)


async def _no_server_error(gateway: Gateway) -> None:
    fields = st.dictionaries(
        st.sampled_from(["model", "prompt", "stream", "n", "file", "image", "x[]"]),
        st.sampled_from([*MODELS, "", "true", "\x00", "ä", "9" * 50]),
        max_size=5,
    )
    files = st.dictionaries(
        st.sampled_from(["file", "image", "image[]", "model"]),
        st.tuples(names, st.binary(max_size=60) | st.just(wave(0.01))),
        max_size=3,
    )
    drawn: list[tuple[str, tuple[str, bytes]]] = []

    @settings(max_examples=150, suppress_health_check=list(HealthCheck), database=None)
    @given(st.sampled_from(PLACES), fields, files, st.integers(0, 2000))
    def draw(path: str, said: dict[str, str], held: dict[str, object], cut: int) -> None:
        kind, body = form(held or {"a": ("a", b"")}, **said)
        drawn.append((path, (kind, body[:cut] if cut % 3 == 0 else body)))

    draw()
    for path, (kind, body) in drawn:
        heard = await gateway.send("POST", path, (BEARER, ("Content-Type", kind)), body)
        assert heard.status < 500 or heard.code == "no_available_provider", (path, body)


async def test_files_of_the_same_name_are_all_passed_on(start: Start) -> None:
    async with working(start) as gateway, httpx2.AsyncClient() as line:
        files = [("image[]", ("a.png", b"1")), ("image[]", ("b.png", b"2"))]
        heard = await line.post(
            gateway.url + PLACES[2],
            data={"model": "i1", "prompt": "a"},
            files=files,
            headers=dict([BEARER]),
        )
        assert heard.status_code == 200
        asked = gateway.upstream.asked[0]
        read = read_form(asked.headers["content-type"].encode(), asked.body)
        assert [read.value(one) for one in read.named("image[]")] == [b"1", b"2"]
