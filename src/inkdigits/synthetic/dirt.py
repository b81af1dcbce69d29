"""The name of a level and a generator of chance come in, the circumstances of one picture come out: paper, light, camera."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import UsageError

SURFACES = ("paper", "screen", "blackboard", "whiteboard", "scene")
RULINGS = ("", "lines", "squares", "dots")
LEVELS = ("clean", "light", "medium", "heavy")

PAPERS = (
    (250, 250, 248),
    (244, 241, 232),
    (238, 234, 226),
    (252, 246, 214),
    (226, 230, 238),
    (255, 240, 120),
    (206, 232, 208),
    (248, 214, 220),
    (214, 196, 164),
)
RULES = ((150, 170, 210), (170, 170, 176), (140, 190, 200), (200, 160, 190), (120, 120, 128))
BOARDS = ((34, 52, 44), (28, 30, 34), (46, 66, 58))


@dataclass(frozen=True, slots=True)
class Dirt:
    """The circumstances of one picture. By default there are none: ink on even paper, seen straight.

    Attributes:
        surface: "paper", "screen" (a canvas of one colour), "blackboard", "whiteboard", or "scene" (a photo of anything).
        paper: colour of the surface, RGB.
        texture: fibres and unevenness of the paper, in grey levels.
        ruling: "", "lines", "squares" or "dots".
        ruling_colour: of the printed rules, RGB.
        ruling_strength: 0 invisible to 1 as printed in full.
        has_margin: a margin line in red.
        has_boxes: each digit stands in a printed box, as in a form.
        shadow: how much light a shadow takes, 0–1.
        shadow_edge: width of the shadow's edge, as a share of the picture; 0 is sharp.
        exposure: how bright the picture is, 1 as it should be.
        cast: how far its colours are off, and unevenly, 0–1.
        falloff: how much darker the far side from the lamp is, 0–1.
        vignette: how much darker the corners are, 0–1.
        glare: strength of a reflection, 0–1.
        show_through: writing of the back page, 0–1.
        stains: how many.
        folds: how many.
        decoys: words, scribbles and blots beside the numbers, how many.
        tilt: turn of the sheet, degrees clockwise.
        perspective: how much shorter the far side is, 0–0.5.
        bend: how much the paper bulges, as a share of its height.
        has_desk: the sheet lies on a dark desk and is seen as a whole.
        defocus: blur, standard deviation in pixels.
        motion: blur by a moving hand, pixels.
        noise: of the sensor, standard deviation in grey levels.
        contrast: what is left of it, 0–1.
        downscale: the picture was shrunk so much and enlarged again, 1 or more.
        jpeg: quality 1–100, or 0 for none.
        is_inverted: light on dark, like a negative.

    Raises:
        UsageError: a value is out of range.
    """

    surface: str = "paper"
    paper: tuple[int, int, int] = (250, 250, 248)
    texture: float = 0.0
    ruling: str = ""
    ruling_colour: tuple[int, int, int] = (150, 170, 210)
    ruling_strength: float = 0.8
    has_margin: bool = False
    has_boxes: bool = False
    shadow: float = 0.0
    shadow_edge: float = 0.05
    exposure: float = 1.0
    cast: float = 0.0
    falloff: float = 0.0
    vignette: float = 0.0
    glare: float = 0.0
    show_through: float = 0.0
    stains: int = 0
    folds: int = 0
    decoys: int = 0
    tilt: float = 0.0
    perspective: float = 0.0
    bend: float = 0.0
    has_desk: bool = False
    defocus: float = 0.0
    motion: float = 0.0
    noise: float = 0.0
    contrast: float = 1.0
    downscale: float = 1.0
    jpeg: int = 0
    is_inverted: bool = False

    def __post_init__(self) -> None:
        """Refuse what no picture can be."""
        if self.surface not in SURFACES:
            raise UsageError(f"surface must be one of {', '.join(SURFACES)}, got {self.surface!r}")
        if self.ruling not in RULINGS:
            raise UsageError(f"ruling must be one of {', '.join(r or repr(r) for r in RULINGS)}, got {self.ruling!r}")
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise UsageError(f"{name} must be from {low} to {high}, got {value!r}")


RANGES: dict[str, tuple[float, float]] = {
    "texture": (0, 30),
    "ruling_strength": (0, 1),
    "shadow": (0, 0.9),
    "shadow_edge": (0, 1),
    "exposure": (0.2, 1.5),
    "cast": (0, 1),
    "falloff": (0, 0.9),
    "vignette": (0, 0.9),
    "glare": (0, 1),
    "show_through": (0, 1),
    "stains": (0, 50),
    "folds": (0, 20),
    "decoys": (0, 50),
    "tilt": (-45, 45),
    "perspective": (0, 0.5),
    "bend": (0, 0.1),
    "defocus": (0, 20),
    "motion": (0, 40),
    "noise": (0, 60),
    "contrast": (0.05, 1),
    "downscale": (1, 4),
    "jpeg": (0, 100),
}

# level: how likely each kind of dirt is, and how much of it there is at most; by hand, beside strangers' photos
AMOUNTS: dict[str, tuple[float, float]] = {"clean": (0.0, 0.0), "light": (0.35, 0.35), "medium": (0.5, 0.65), "heavy": (0.65, 1.0)}


def sample_dirt(level: str, rng: np.random.Generator) -> Dirt:
    """Return the circumstances of one picture of a level.

    Args:
        level: "clean" (a scan or a canvas), "light" (a good photo), "medium" (what people send), "heavy" (what nobody should send).
        rng: where the chance comes from.

    Raises:
        UsageError: there is no such level.
    """
    if level not in LEVELS:
        raise UsageError(f"dirt must be one of {', '.join(LEVELS)}, got {level!r}")
    if level == "clean":
        return _clean(rng)
    chance, most = AMOUNTS[level]

    def some(low: float, high: float, likely: float = chance) -> float:
        """Return 0, or now and then something up to `high`, less at lower levels."""
        drawn, amount = rng.random(), rng.random()
        return float(low + (high - low) * most * amount) if drawn < likely else 0.0

    surface = "paper" if rng.random() > 0.12 * most else str(rng.choice(["blackboard", "whiteboard"]))
    colours = BOARDS if surface == "blackboard" else PAPERS[:2] if surface == "whiteboard" else PAPERS
    # white and cream are what most people write on
    first = int(rng.integers(len(colours))) if rng.random() < 0.25 + 0.3 * most else int(rng.integers(min(3, len(colours))))
    is_ruled = surface == "paper" and rng.random() < chance
    return Dirt(
        surface=surface,
        paper=colours[first],
        texture=0.6 + some(0.5, 6.0, 0.9),
        ruling=str(rng.choice(["lines", "squares", "dots"], p=[0.45, 0.4, 0.15])) if is_ruled else "",
        ruling_colour=RULES[int(rng.integers(len(RULES)))],
        ruling_strength=float(rng.uniform(0.15, 0.35 + 0.6 * most)),
        has_margin=is_ruled and rng.random() < 0.3,
        has_boxes=surface == "paper" and not is_ruled and rng.random() < 0.2 * chance,
        shadow=some(0.06, 0.6),
        shadow_edge=float(np.exp(rng.uniform(np.log(0.003), np.log(0.3)))) if most > 0.5 else float(rng.uniform(0.05, 0.3)),
        exposure=float(rng.uniform(0.95 - 0.45 * most, 1.05)),
        cast=some(0.05, 0.8, 0.8),
        falloff=0.03 + some(0.05, 0.55, 0.9),
        vignette=some(0.05, 0.45),
        glare=some(0.1, 0.8, chance if surface == "whiteboard" else 0.1 * most),
        show_through=some(0.04, 0.22, 0.4 * chance),
        stains=round(some(0, 4, 0.3 * chance)),
        folds=round(some(0, 4, 0.5 * chance)),
        decoys=round(some(0, 4, 0.6 * most)),
        tilt=float(rng.normal(0, 1 + 5 * most)),
        perspective=some(0.02, 0.3),
        bend=some(0.002, 0.02, 0.6 * chance),
        has_desk=surface == "paper" and rng.random() < 0.4 * chance,
        defocus=0.4 + some(0.1, 2.2),
        motion=some(1, 6, 0.4 * chance),
        noise=1.0 + some(0.5, 11.0, 0.9),
        contrast=1.0 - some(0.05, 0.55),
        downscale=1.0 + some(0.1, 1.0, 0.4 * chance),
        jpeg=int(rng.integers(round(92 - 60 * most), 96)),
    )


def keep_legible(dirt: Dirt, ink: tuple[int, int, int], opacity: float, line: float) -> Dirt:
    """Return the circumstances, eased where nobody could read this ink: a truth that cannot be seen teaches nothing.

    Args:
        dirt: what the picture is to suffer.
        ink: its colour, RGB.
        opacity: of the ink, 0–1.
        line: width of its lines in the picture, in pixels.
    """
    dirt = replace(
        dirt,
        defocus=min(dirt.defocus, 0.35 + 0.5 * line),
        motion=min(dirt.motion, 1 + 1.5 * line),
        downscale=min(dirt.downscale, 1 + 0.3 * line),
    )
    grey = np.array([0.3, 0.59, 0.11])
    smeared = min(1.0, line / (2.2 * max(dirt.defocus, 0.1)))
    difference = opacity * smeared * abs(float(grey @ (np.array(dirt.paper, float) - ink)))
    dimmed = (1 - 0.6 * dirt.shadow) * (1 - 0.6 * dirt.falloff) * dirt.exposure
    contrast = min(1.0, max(dirt.contrast, 26 / max(difference * dimmed, 1.0)))
    left = difference * dimmed * contrast
    return replace(
        dirt, contrast=contrast, noise=min(dirt.noise, left / 4), texture=min(dirt.texture, left / 6), glare=min(dirt.glare, left / 120)
    )


def _clean(rng: np.random.Generator) -> Dirt:
    """Return a scan or a canvas: straight, even, sharp."""
    if rng.random() < 0.3:
        is_inverted = bool(rng.random() < 0.25)
        return Dirt(surface="screen", paper=(255, 255, 255), is_inverted=is_inverted)
    shade = int(rng.integers(238, 256))
    return Dirt(
        paper=(shade, shade, shade - int(rng.integers(0, 5))),
        texture=float(rng.uniform(0.3, 1.5)),
        tilt=float(rng.normal(0, 0.5)),
        defocus=0.5,
        noise=float(rng.uniform(0.5, 2)),
        jpeg=int(rng.integers(85, 96)),
    )
