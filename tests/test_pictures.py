"""Pictures of pages: what they show, what a bad file costs, and how long they are kept."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import pypdfium2.version
import pytest
from conftest import NOW, WordEmbedder
from PIL import Image, ImageDraw
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen import canvas

from qa.audience import Audience
from qa.build import build
from qa.embed import Model, ModelFiles
from qa.errors import NoPicture, PictureFailed, PicturesBusy, WorkerBusy
from qa.evidence.pictures import TARGET, WIDTH, Picture, Pictures
from qa.index import open_index
from qa.index.contract import PassageIndex
from qa.pdfium import encoded, render_in_worker
from qa.prepared import Prepared
from qa.settings import Pictures as PictureSettings
from qa.settings import Settings

PROJECT = Path(__file__).resolve().parent.parent
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 255)
Draw = Callable[..., Path]


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """A PDF file of one page: a red square at its lower left, a green one at its upper right corner."""

    def drawn(
        size: tuple[float, float] = (400, 200), *, rotate: int = 0, crop: tuple[float, ...] = (), **options: Any
    ) -> Path:
        path = tmp_path / "drawn.pdf"
        as_shown = size if rotate % 180 == 0 else size[::-1]  # which reportlab wants
        page = canvas.Canvas(str(path), pagesize=as_shown, invariant=True, **options)
        if crop:
            page.setCropBox(crop)
        page.setPageRotation(rotate)
        page.setFillColorRGB(1, 0, 0)
        page.rect(0, 0, 50, 50, stroke=0, fill=1)
        page.setFillColorRGB(0, 128 / 255, 0)
        page.rect(size[0] - 50, size[1] - 50, 50, 50, stroke=0, fill=1)
        page.showPage()
        page.save()
        return path

    return drawn


def rendered(path: Path, page: int = 1, *, digest: str = "") -> tuple[Image.Image, str]:
    """The picture of a page, as the worker draws it but in this process, and its media type."""
    digest = digest or sha256(path.read_bytes()).hexdigest()
    answer = render_in_worker({"path": str(path), "digest": digest, "page": page, "width": WIDTH})
    image = Image.open(io.BytesIO(base64.b64decode(answer["image"]))).convert("RGB")
    assert image.size == (answer["width"], answer["height"])
    return image, answer["media_type"]


def corners(image: Image.Image) -> list[Any]:
    """The colors a bit inside of the corners: upper left, upper right, lower left, lower right."""
    right, low = image.width - 20, image.height - 20
    return [image.getpixel(place) for place in ((20, 20), (right, 20), (20, low), (right, low))]


def test_draws_a_page_on_white(draw: Draw) -> None:
    """A page is drawn as wide as a phone's screen is fine, on white, in its colors."""
    image, media_type = rendered(draw())
    assert (image.size, media_type) == ((WIDTH, WIDTH // 2), "image/png")
    assert corners(image) == [WHITE, GREEN, RED, WHITE]


@pytest.mark.parametrize(
    ("rotate", "found"),
    [(90, [RED, WHITE, WHITE, GREEN]), (180, [WHITE, RED, GREEN, WHITE]), (270, [GREEN, WHITE, WHITE, RED])],
)
def test_draws_a_turned_page_as_it_is_shown(draw: Draw, rotate: int, found: list[Any]) -> None:
    """A page with a rotation is turned clockwise."""
    image, _ = rendered(draw(rotate=rotate))
    assert image.size == ((WIDTH, WIDTH // 2) if rotate == 180 else (WIDTH, WIDTH * 2))
    assert corners(image) == found


def test_draws_only_what_is_inside_the_crop_box(draw: Draw) -> None:
    """What was cropped away is not in the picture."""
    image, _ = rendered(draw(crop=(200, 100, 400, 200)))
    assert image.size == (WIDTH, WIDTH // 2)
    assert corners(image) == [WHITE, GREEN, WHITE, WHITE]


def test_draws_what_fills_a_form(tmp_path: Path) -> None:
    """The value of a field and a note on the page are in the picture; no script can be run."""
    page = canvas.Canvas(str(tmp_path / "form.pdf"), pagesize=(300, 100), invariant=True)
    page.acroForm.textfield(name="x", x=10, y=10, width=280, height=80, value="IIIIIIIIII", fontSize=60, borderWidth=0)
    page.showPage()
    page.save()
    filled, _ = rendered(tmp_path / "form.pdf")
    dark = sum(count for count, color in filled.getcolors(1_000_000) or [] if sum(cast("tuple[int, ...]", color)) < 200)
    assert dark > 5_000
    assert "V8" not in pypdfium2.version.PDFIUM_INFO.flags


def test_opens_a_file_that_only_wants_an_owners_password(draw: Draw) -> None:
    """A file that anyone may open is drawn, encrypted or not."""
    image, _ = rendered(draw(encrypt=StandardEncryption("", ownerPassword="boss", canModify=0, strength=128)))
    assert corners(image) == [WHITE, GREEN, RED, WHITE]


@pytest.mark.parametrize("size", [(14_400, 14_400), (14_400, 600), (200, 14_400), (3, 3)])
def test_a_giant_page_takes_a_picture_of_bounded_size(draw: Draw, size: tuple[float, float]) -> None:
    """However large a page is, its picture has at most eight million pixels, in the page's proportions."""
    image, _ = rendered(draw(size))
    assert image.width <= WIDTH
    assert image.width * image.height <= 8_100_000
    assert image.height == pytest.approx(image.width * size[1] / size[0], rel=0.02)


def test_a_page_that_is_a_line_is_refused(draw: Draw) -> None:
    """A page that is too narrow for its length to be seen at all says so."""
    with pytest.raises(PictureFailed, match="too long for its width"):
        rendered(draw((3, 14_400)))


@pytest.mark.parametrize("page", [-1, 0, 2])
def test_a_page_that_is_not_there(draw: Draw, page: int) -> None:
    """Pages are counted from 1 to the last."""
    with pytest.raises(NoPicture):
        rendered(draw(), page)


def test_a_damaged_file_is_not_drawn(draw: Draw) -> None:
    """A file that is not what the index was built from is refused before PDFium sees it."""
    path = draw()
    digest = sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes().replace(b"/Rotate 0", b"/Rotate 9"))
    with pytest.raises(PictureFailed, match="changed or is damaged"):
        rendered(path, digest=digest)


def test_a_file_that_is_no_pdf_fails(tmp_path: Path) -> None:
    """What PDFium cannot take apart is an error of ours."""
    (tmp_path / "a.pdf").write_bytes(b"no PDF at all")
    with pytest.raises(PictureFailed, match="PDFium cannot take the file apart"):
        rendered(tmp_path / "a.pdf")


def test_text_keeps_its_colors() -> None:
    """On a plain ground the ground, the tints and the ink stay exactly what they are."""
    image = Image.new("RGB", (400, 300), (255, 248, 225))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, 400, 40), fill=(37, 88, 99))
    pen.text((20, 100), "Take it with water.", fill=(31, 41, 51), font_size=30)
    content, media_type = encoded(image)
    again = Image.open(io.BytesIO(content)).convert("RGB")
    assert media_type == "image/png"
    assert [again.getpixel(place) for place in ((5, 5), (5, 200))] == [(37, 88, 99), (255, 248, 225)]
    assert (31, 41, 51) in {color for _, color in again.getcolors(100_000) or []}
    pairs = zip(image.tobytes(), again.tobytes(), strict=True)
    assert max(abs(one - other) for one, other in pairs) <= 16


def test_a_photograph_is_compressed() -> None:
    """What no few colors cover becomes a WebP, much smaller than it would be without loss."""
    image = Image.effect_noise((600, 400), 60).convert("RGB").resize((1200, 800))
    content, media_type = encoded(image)
    assert media_type == "image/webp"
    assert len(content) < 600_000


@dataclass
class KeptFiles:
    """An index that keeps one file for each of its documents."""

    generation: str
    files: dict[str, Path]

    def file(self, document_id: str) -> Path | None:
        return self.files[document_id]

    def document(self, document_id: str) -> Any:
        path = self.files[document_id]

        class Document:
            digest = sha256(path.read_bytes()).hexdigest() if path.is_file() else ""

        return Document


def index(generation: str = "first", **files: Path) -> PassageIndex:
    return cast("PassageIndex", KeptFiles(generation, files))


@dataclass
class Watch:
    """A clock that is set by hand."""

    time: float = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pages that a worker was asked for, in order."""
    given: list[int] = []
    run = Prepared.run

    def noted(self: Prepared, request: Any) -> Any:
        given.append(request["page"])
        return run(self, request)

    monkeypatch.setattr(Prepared, "run", noted)
    return given


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch, watch: Watch) -> Iterator[Callable[..., Pictures]]:
    """Pictures, closed in the end; those of the test target come to harm on pages 2 to 4."""
    monkeypatch.syspath_prepend(str(PROJECT))
    made = []

    def pictures(target: str = "tests.worker_targets:draw", *, cache_mb: float = 1, seconds: float = 3) -> Pictures:
        limits = PictureSettings(cache_mb=cache_mb, seconds=seconds, memory_mb=256)
        made.append(Pictures(limits, target=target, now=watch))
        return made[-1]

    yield pictures
    for each in made:
        each.close()


def test_a_picture_comes_from_a_worker(draw: Draw, make: Callable[..., Pictures]) -> None:
    """The picture of a page is drawn in a process of its own, within its limits."""
    path = draw()
    picture = make(TARGET, seconds=20).picture(index(a=path), "a", 1)
    assert (picture.width, picture.height, picture.media_type) == (WIDTH, WIDTH // 2, "image/png")
    assert Image.open(io.BytesIO(picture.content)).size == (picture.width, picture.height)


def test_a_cached_picture_is_the_same(make: Callable[..., Pictures], orders: list[int], tmp_path: Path) -> None:
    """A page that was drawn is not drawn again."""
    pictures, kept = make(), index(a=tmp_path / "a")
    assert pictures.picture(kept, "a", 1) is pictures.picture(kept, "a", 1)
    assert pictures.picture(kept, "a", 5).content == b"page 5"
    assert orders == [1, 5]


def test_audiences_do_not_share_pictures(make: Callable[..., Pictures], orders: list[int], tmp_path: Path) -> None:
    """The same bytes in another audience's index are another picture."""
    pictures = make()
    for audience in Audience:
        pictures.picture(index(a=tmp_path / audience / "0123"), "a", 1)
    assert orders == [1, 1]


@pytest.mark.parametrize(("page", "found"), [(2, "SIGSEGV"), (3, "took too long"), (4, "MemoryError")])
def test_harm_costs_one_picture(make: Callable[..., Pictures], tmp_path: Path, page: int, found: str) -> None:
    """A crash, a hang and too much memory are errors of that page; the next page is drawn."""
    pictures, kept = make(seconds=1.5), index(a=tmp_path / "a")
    with pytest.raises(PictureFailed) as caught:
        pictures.picture(kept, "a", page)
    assert found in (caught.value.found or "")
    assert pictures.picture(kept, "a", 1).content == b"page 1"


def test_a_failure_is_remembered_for_a_minute(
    make: Callable[..., Pictures], watch: Watch, orders: list[int], tmp_path: Path
) -> None:
    """A page that could not be drawn takes no worker again until a while has passed."""
    pictures, kept = make(), index(a=tmp_path / "a")
    for time in (0.0, 59.0, 61.0):
        watch.time = time
        with pytest.raises(PictureFailed):
            pictures.picture(kept, "a", 2)
    assert orders == [2, 2]


def test_busy_is_not_remembered(make: Callable[..., Pictures], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where all workers are at work, the page is tried again the next time."""
    pictures, kept = make(), index(a=tmp_path / "a")
    run = Prepared.run

    def busy(*_: object) -> None:
        raise WorkerBusy("busy")

    monkeypatch.setattr(Prepared, "run", busy)
    with pytest.raises(PicturesBusy):
        pictures.picture(kept, "a", 1)
    monkeypatch.setattr(Prepared, "run", run)
    assert pictures.picture(kept, "a", 1).content == b"page 1"


def test_a_page_is_drawn_once_for_all_who_ask(make: Callable[..., Pictures], orders: list[int], tmp_path: Path) -> None:
    """Eight who ask for one page at the same time get one picture."""
    pictures, kept = make(seconds=20), index(a=tmp_path / "a")
    together = threading.Barrier(8)

    def ask(_: int) -> Picture:
        together.wait()
        return pictures.picture(kept, "a", 1)

    with ThreadPoolExecutor(8) as pool:
        assert len({id(picture) for picture in pool.map(ask, range(8))}) == 1
    assert orders == [1]


def test_the_cache_stays_within_its_limit(make: Callable[..., Pictures], orders: list[int], tmp_path: Path) -> None:
    """Over the limit, the picture that was not asked for longest goes; one that is larger than all is not kept."""
    pictures, kept = make(cache_mb=13e-6), index(a=tmp_path / "a")  # 13 bytes: two pictures of "page N"
    for page in (1, 5, 1, 6, 1, 5):
        pictures.picture(kept, "a", page)
    assert orders == [1, 5, 6, 5]
    small = make(cache_mb=5e-6)
    orders.clear()
    for _ in range(2):
        small.picture(kept, "a", 1)
    assert orders == [1, 1]


def test_pictures_go_with_their_generation(make: Callable[..., Pictures], tmp_path: Path) -> None:
    """Another generation's picture empties the cache of those before."""
    pictures, old = make(), index("old", a=tmp_path / "old" / "a")
    new = index("new", a=tmp_path / "new" / "a")
    for kept in (old, new):
        pictures.picture(kept, "a", 1)
    assert {path for path, _ in pictures._kept} == {tmp_path / "new" / "a"}
    assert pictures._bytes == len(b"page 1")


def test_a_document_without_a_file_has_no_picture(make: Callable[..., Pictures]) -> None:
    """Where the index keeps nothing to draw from, there is no picture."""
    with pytest.raises(NoPicture):
        make().picture(cast("PassageIndex", KeptFiles("first", cast("dict[str, Path]", {"a": None}))), "a", 1)


def test_a_change_in_the_corpus_does_not_change_a_picture(
    draw: Draw,
    settings: Settings,
    load_words: Callable[[Model, ModelFiles], WordEmbedder],
    make: Callable[..., Pictures],
) -> None:
    """A page shows what was built, whatever has become of the file since, until the next build."""
    corpus = settings.corpus.folder / "a.pdf"

    def built(text: str, minutes: int) -> Picture:
        page = canvas.Canvas(str(corpus), invariant=True)
        page.drawString(72, 700, text)
        page.save()
        now = NOW + timedelta(minutes=minutes)
        build(settings, clock=lambda: now, load_embedder=load_words, calibrated=False)
        return shown()

    def shown() -> Picture:
        fingerprint = ModelFiles.find(settings.model.name).fingerprint(settings.model)
        opened = open_index(settings.index.folder, Audience.STAFF, fingerprint)
        try:
            return make(TARGET, seconds=20).picture(opened, "a.pdf", 1)
        finally:
            opened.close()

    first = built("Fasting for six hours.", 0)
    corpus.write_bytes(draw().read_bytes())
    assert shown() == first
    assert built("Fasting for eight hours.", 1).content != first.content
