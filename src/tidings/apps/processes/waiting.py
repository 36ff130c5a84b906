"""PURE: the cases at each activity, of which the one that has been there for longest is asked for."""

from __future__ import annotations

from array import array
from heapq import heapify, heappop, heappush
from typing import Protocol


class Cases(Protocol):
    """The columns of a process, as `Process` describes them."""

    activity_of: array[int]
    time_of: array[int]
    last: array[int]
    at: list[int]

    def is_at(self, case: int, activity: int, time: int) -> bool:
        """Tell whether an event of the activity, at the time, is the last of the case."""


class Waiting:
    """The cases at each activity, so that the one that has been there for longest is found without a look at all.

    A heap holds a number of the time and the case for each arrival. It keeps those of cases that have gone on, until
    they come first or are the greater part. The heaps are made when a figure is first asked for.
    """

    def __init__(self, process: Cases) -> None:
        self._process = process
        self._heaps: dict[int, list[int]] = {}
        for case, last in enumerate(process.last):
            if last >= 0:
                heap = self._heaps.setdefault(process.activity_of[last], [])
                heap.append(process.time_of[last] << 32 | case)
        for heap in self._heaps.values():
            heapify(heap)

    def arrive(self, activity: int, time: int, case: int) -> None:
        """Note that an event of the activity, at the time, is the last of the case."""
        heap = self._heaps.setdefault(activity, [])
        heappush(heap, time << 32 | case)
        if len(heap) > 2 * self._process.at[activity] + 64:
            heap[:] = {key for key in heap if self._is_there(key, activity)}
            heapify(heap)

    def oldest(self, activity: int) -> int | None:
        """Return the earliest time of a case at the activity."""
        heap = self._heaps.get(activity, [])
        while heap and not self._is_there(heap[0], activity):
            heappop(heap)
        return heap[0] >> 32 if heap else None

    def _is_there(self, key: int, activity: int) -> bool:
        return self._process.is_at(key & 0xFFFFFFFF, activity, key >> 32)
