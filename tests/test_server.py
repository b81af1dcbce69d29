"""The API: it answers what the library answers, every error has one shape, and it can live in somebody else's app."""

import json
import re
from collections.abc import Iterator

import numpy as np
import pictures
import pytest
from fastapi import FastAPI
from served import JPEG, Served, check_error, photo, serving, white

import inkdigits
from inkdigits.limits import ServerLimits
from inkdigits.server import create_app
from inkdigits.server.queue import ThreadDesk


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as server:
        yield server


PHOTO = photo("2071 438")


def test_read_answers_exactly_what_the_library_answers(served: Served) -> None:
    answer = served.read(PHOTO)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == inkdigits.read(PHOTO).to_dict()


@pytest.mark.parametrize("options", [{"single": 1}, {"threshold": 0}, {"threshold": 1}, {"rotate": 0}])
def test_options_do_what_they_do_in_the_library(served: Served, options: dict[str, float]) -> None:
    assert served.read(PHOTO, **options).json() == inkdigits.read(PHOTO, **options).to_dict()  # type: ignore[arg-type]


def test_a_picture_without_digits_is_a_page_without_numbers(served: Served) -> None:
    answer = served.read(white(40, 30))
    assert (answer.status_code, answer.json()["text"], answer.json()["numbers"]) == (200, "", [])


def test_look_shows_the_glyphs_that_the_network_saw(served: Served) -> None:
    answer = served.client.post("/v1/look", content=PHOTO, headers=JPEG).json()
    assert answer["page"] == inkdigits.read(PHOTO).to_dict()
    digits = [d for n in answer["page"]["numbers"] for d in n["digits"]]
    assert len(answer["digits"]) == len(digits) > 0
    glyphs = np.array([d["glyph"] for d in answer["digits"]], np.uint8)
    read = [d.glyph for n in inkdigits.read(PHOTO).numbers for d in n.digits]
    assert np.array_equal(glyphs, np.stack(read))
    assert [d["alternatives"][0][0] for d in digits] == inkdigits.Classifier.load().predict(glyphs).tolist()
    maps = np.array([d["why"] for d in answer["digits"]])
    assert maps.shape == glyphs.shape
    assert maps.min() >= 0 and (maps.max(axis=(1, 2)) > 200).all()


def test_classify_answers_as_the_classifier(served: Served) -> None:
    glyphs = inkdigits.mnist.load_data()[1][0][:5]
    answer = served.client.post("/v1/classify", json={"glyphs": glyphs.tolist()})
    assert [d["value"] for d in answer.json()["digits"]] == [7, 2, 1, 0, 4]
    probabilities, confidence = inkdigits.Classifier.load().classify(glyphs)
    assert np.allclose([d["probabilities"] for d in answer.json()["digits"]], probabilities, atol=1e-6)
    assert np.allclose([d["confidence"] for d in answer.json()["digits"]], confidence, atol=1e-6)
    assert served.client.post("/v1/classify", json={"glyphs": []}).json() == {"digits": []}


def test_model_tells_what_reads_and_within_which_limits(served: Served) -> None:
    told = served.client.get("/v1/model").json()
    assert (told["name"], told["version"], told["explains"], told["collects"]) == ("reader", inkdigits.__version__, True, False)
    assert told["limits"]["max_body"] == ServerLimits().max_body


def test_health_and_metrics(served: Served) -> None:
    assert served.client.get("/livez").json() == served.client.get("/readyz").json() == {"status": "ok"}
    served.read(PHOTO)
    text = served.client.get("/metrics").text
    assert float(re.search(r'^inkdigits_requests_total\{route="/v1/read",status="200"\} (\S+)$', text, re.M)[1]) >= 1  # type: ignore[index]
    assert float(re.search(r"^inkdigits_digits_total (\S+)$", text, re.M)[1]) >= 1  # type: ignore[index]
    assert "inkdigits_waiting 0.0" in text


class Loading(ThreadDesk):
    """A desk that becomes ready when it is told to."""

    is_ready = False


def test_the_server_is_ready_when_what_reads_is_loaded() -> None:
    desks = [Loading(inkdigits.Reader.load()) for _ in range(2)]
    with serving(desks=desks) as server:
        answer = server.client.get("/readyz")
        check_error(answer, 503, "busy")
        assert answer.headers["retry-after"]
        assert server.client.get("/livez").status_code == 200
        desks[1].is_ready = True  # one is enough
        assert server.client.get("/readyz").json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["/", "/docs", "/web/docs.js", "/openapi.json", "/v1/model", "/livez", "/readyz", "/metrics"])
def test_head_is_answered_as_get_without_the_body(served: Served, path: str) -> None:
    head, whole = served.client.head(path), served.client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]
    assert set(served.client.get("/openapi.json").json()["paths"].get(path, {"get"})) == {"get"}
    raw = served.raw(f"HEAD {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    assert raw.startswith(b"HTTP/1.1 200") and raw.endswith(b"\r\n\r\n")


def test_head_is_for_what_can_be_got(served: Served) -> None:
    assert served.client.head("/v1/read").status_code == 405
    assert served.client.head("/v1/nothing").status_code == 404
    assert re.search(r'route="/livez",status="200"', served.client.get("/metrics").text)


BAD_GLYPHS = [
    b"",
    b"{",
    b"[]",
    b"{}",
    b'{"glyphs": 3}',
    b'{"glyphs": [[1, 2], [3]]}',
    b'{"glyphs": [NaN]}',
    b'{"glyphs": "7"}',
    b"[" * 5000,
]


@pytest.mark.parametrize("body", BAD_GLYPHS)
def test_what_is_no_glyphs_is_refused(served: Served, body: bytes) -> None:
    check_error(served.client.post("/v1/classify", content=body, headers={"Content-Type": "application/json"}), 415, "unsupported")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        *(("GET", "/v1/nothing", 404, "not_found"), ("GET", "/v1/read", 405, "usage"), ("DELETE", "/v1/model", 405, "usage")),
        *(("POST", "/v1/read?threshold=2", 422, "usage"), ("POST", "/v1/read?threshold=nan", 422, "usage")),
        *(("POST", "/v1/read?single=perhaps", 422, "usage"), ("POST", "/v1/read?rotate=45", 422, "usage")),
        *(("POST", "/v1/read?treshold=0.9", 422, "usage"), ("GET", "/v1/model?single=1", 422, "usage")),
        *(("GET", "/web/../app.py", 404, "not_found"), ("GET", "/web/%2e%2e/cli.py", 404, "not_found")),
    ],
)
def test_errors_of_the_framework_have_our_shape_too(served: Served, method: str, path: str, status: int, code: str) -> None:
    check_error(served.client.request(method, path, headers=JPEG), status, code)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "no Content-Type"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "urlencoded"),
        ({"Content-Type": "text/plain"}, "image/jpeg"),
    ],
)
def test_a_picture_must_say_that_it_is_one(served: Served, headers: dict[str, str], said: str) -> None:
    assert said in check_error(served.client.post("/v1/read", content=PHOTO, headers=headers), 415, "unsupported")


@pytest.mark.parametrize(
    ("picture", "status", "code"),
    [
        *((b"", 422, "damaged"), (b"GIF89a" + bytes(50), 415, "unsupported"), (b"\x7fELF" + bytes(50), 415, "unsupported")),
        *((PHOTO[:900], 422, "damaged"), (white(30_001, 1), 413, "too_many_pixels")),
    ],
)
def test_a_picture_that_cannot_be_read_has_a_reason_and_a_status(served: Served, picture: bytes, status: int, code: str) -> None:
    check_error(served.read(picture), status, code)


def test_a_parameter_that_is_none_is_named(served: Served) -> None:
    told = check_error(served.client.post("/v1/table?format=csv&from=xlsx", json={"pages": []}), 422, "usage")
    assert told == "from: there is no such parameter, expected format"
    assert served.client.get("/?from=somewhere").status_code == 200  # a page may be linked to with whatever others add


@pytest.mark.parametrize("path", ["/v1/read", "/v1/look"])
def test_of_several_pages_none_is_left_out_in_silence(served: Served, path: str) -> None:
    kind = {"Content-Type": "image/tiff"}
    told = check_error(served.client.post(path, content=pictures.tiff_pages(2), headers=kind), 413, "too_many_pages")
    assert "several pages" in told
    assert served.client.post(path, content=pictures.tiff_pages(1), headers=kind).status_code == 200


PDF = b"%PDF-1.7\n" + bytes(50)


@pytest.mark.parametrize("path", ["/v1/read", "/v1/look"])
@pytest.mark.parametrize("kind", ["image/jpeg", "application/pdf"])
def test_a_document_is_no_picture_whatever_it_is_called(served: Served, path: str, kind: str) -> None:
    told = check_error(served.client.post(path, content=PDF, headers={"Content-Type": kind}), 415, "unsupported")
    assert "PDF" not in told.partition("expected")[2].partition("; got")[0]


@pytest.mark.parametrize("picture", [b"", b"GIF89a" + bytes(50)], ids=["empty", "gif"])
def test_the_kinds_that_are_wanted_are_those_of_the_description(served: Served, picture: bytes) -> None:
    told = served.read(picture).json()["error"]["detail"]
    assert told.endswith("expected JPEG, PNG, WebP, BMP, TIFF or HEIC")
    described = served.client.get("/openapi.json").json()["paths"]["/v1/read"]["post"]["requestBody"]["content"]
    assert {kind.partition("/")[2] for kind in described} == set(re.findall(r"[a-z]+", told.partition("expected")[2].lower())) - {"or"}


def test_the_description_is_served_from_the_package(served: Served) -> None:
    described = served.client.get("/openapi.json").json()
    assert set(described["paths"]) >= {
        "/v1/read",
        "/v1/look",
        "/v1/classify",
        "/v1/model",
        "/v1/corrections",
        "/livez",
        "/readyz",
        "/metrics",
    }
    page = served.client.get("/docs").text
    for file in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert served.client.get(f"/{file}").status_code == 200, file


def test_nothing_on_our_pages_comes_from_elsewhere(served: Served) -> None:
    for path in ("/", "/docs"):
        page = served.client.get(path)
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page.text)
        assert "default-src 'none'" in page.headers["content-security-policy"]


def test_no_cors(served: Served) -> None:
    answer = served.client.get("/v1/model", headers={"Origin": "http://elsewhere.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_framework_tells_nobody_of_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    app = create_app(inkdigits.Reader.load())
    assert not any(app._telemetry[kind] for kind in ("tracing", "metrics", "logs", "auto_configure"))


def test_the_app_lives_in_another_app() -> None:
    outer = FastAPI()
    outer.mount("/digits", create_app(inkdigits.Reader.load()))
    with serving(outer) as server:
        answer = server.client.post("/digits/v1/read", content=PHOTO, headers=JPEG)
        assert answer.json() == inkdigits.read(PHOTO).to_dict()
        assert server.client.get("/digits/").status_code == server.client.get("/digits/docs").status_code == 200


def test_what_is_unexpected_is_an_error_of_our_shape_and_leaves_the_server_alive() -> None:
    class Broken(inkdigits.Reader):
        def read(self, picture: object, **options: object) -> inkdigits.Page:
            raise RuntimeError("secret words")

    with serving(create_app(Broken(inkdigits.Classifier.load()))) as server:
        answer = server.read(PHOTO)
        assert "secret" not in answer.text
        check_error(answer, 500, "internal")
        assert server.client.get("/livez").status_code == 200


def test_the_json_is_strict(served: Served) -> None:
    json.loads(served.read(PHOTO).content, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
