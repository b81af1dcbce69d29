"""The networks that read strangers' digits: small stacks of 3 × 3 convolutions, each a `keras.Sequential` over glyphs of shape (28, 28, 1).

`reader` has the eleven outputs of the default weights: ten digits and "no digit". `mnist` and `tiny` have ten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

# (channels, stride) a convolution: resolution falls early, where it costs most, and channels grow where pictures are small
STACKS: dict[str, tuple[tuple[int, int], ...]] = {
    "reader": ((24, 1), (32, 2), (48, 1), (48, 1), (64, 2), (96, 1), (112, 1)),
    "mnist": ((32, 1), (48, 1), (64, 2), (80, 1), (96, 1), (128, 2), (160, 1), (160, 1)),
    "tiny": ((8, 1), (10, 1), (12, 2), (15, 1), (18, 2), (20, 1)),
}
CLASSES = {"reader": 11, "mnist": 10, "tiny": 10}
DROPOUT = {"reader": 0.2, "mnist": 0.3, "tiny": 0.0}


def build_compact(name: str) -> keras.Sequential:
    """Return the network called `name`, untrained, with a softmax at its end.

    A convolution is followed by batch normalisation and a ReLU; the mean over the last maps goes to one dense layer, so that what the
    network looked at can be drawn from its maps.

    Raises:
        KeyError: there is no such network.
    """
    import keras
    from keras import layers

    stack: list[keras.layers.Layer] = [keras.Input((28, 28, 1))]
    for channels, stride in STACKS[name]:
        if stride > 1:  # padded alike on both sides, which "same" does not do with a stride
            stack.append(layers.ZeroPadding2D(1))
        stack.append(layers.Conv2D(channels, 3, stride, padding="valid" if stride > 1 else "same", use_bias=False))
        stack += [layers.BatchNormalization(momentum=0.98), layers.ReLU()]
    stack += [layers.GlobalAveragePooling2D(), layers.Dropout(DROPOUT[name]), layers.Dense(CLASSES[name], activation="softmax")]
    return keras.Sequential(stack, name=name)
