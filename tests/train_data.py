"""A training small enough for a test: 600 pictures to learn from, 200 to measure on."""

from inkdigits import mnist
from inkdigits.train.config import Config
from inkdigits.train.fit import Data

CONFIG = Config(epochs=3, batch_size=50, layers=(64, 32))  # 12 steps an epoch


def small_data() -> Data:
    (x, y), (x_test, y_test) = mnist.load_data()
    return (x[:600], y[:600]), (x_test[:200], y_test[:200])
