from __future__ import annotations

import cv2
import numpy as np

from latentcut.core.distances import depth_map, exact_distances


def test_depths_do_not_depend_on_where_a_mask_lies_in_memory():
    rng = np.random.default_rng(0)
    region = cv2.GaussianBlur(rng.random((97, 131)), (0, 0), 6) > 0.5

    depths = []
    for offset in range(16):
        buffer = np.zeros(region.size + 16, dtype=bool)
        moved = buffer[offset : offset + region.size].reshape(region.shape)
        moved[:] = region
        depths.append(depth_map(moved))

    assert all(np.array_equal(depth, depths[0]) for depth in depths)


def test_squared_distances_are_whole_numbers():
    marked = np.ones((40, 60), dtype=np.uint8)
    marked[3, 5] = marked[30, 50] = 0
    rows, columns = np.mgrid[:40, :60]
    squared = np.minimum(
        (rows - 3) ** 2 + (columns - 5) ** 2, (rows - 30) ** 2 + (columns - 50) ** 2
    )

    distances = exact_distances(marked)

    assert np.array_equal(distances, np.sqrt(squared).astype(np.float32))
