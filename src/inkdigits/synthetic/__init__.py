"""Text or a label comes in, a made picture of handwriting comes out, with its truth: for samples, for tests, for training.

    page, truth = make_page("2071 438", seed=1)        a photo of a page and the `Page` that a perfect reader would answer
    crop = make_digit(7, np.random.default_rng(1))     a small picture of one digit, as strangers send it; None: of no digit
    ink = make_glyph_source(7, np.random.default_rng(1))   the clean ink of one digit

`shapes` and `trace` know how digits are drawn, `pens` with what, `hands` by whom; `paper` and `camera` make the photo, `dirt` says how bad
it is; `crops` and `pages` put it together. Everything is seeded: the same arguments give the same bytes.
"""

from .crops import STYLES, make_digit, make_glyph_source, make_labelled_digit
from .dirt import LEVELS, Dirt, sample_dirt
from .hands import SPLITS, Font, Hands
from .pages import make_labelled_page, make_page
from .pens import PENS, Pen, choose_pen

__all__ = [
    "LEVELS",
    "PENS",
    "SPLITS",
    "STYLES",
    "Dirt",
    "Font",
    "Hands",
    "Pen",
    "choose_pen",
    "make_digit",
    "make_glyph_source",
    "make_labelled_digit",
    "make_labelled_page",
    "make_page",
    "sample_dirt",
]
