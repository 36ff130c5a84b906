"""PURE: the variants of a process, as a tree of prefixes: a node is the sequence of activities from the root to it."""

from __future__ import annotations

from array import array

from .durations import Durations

VARIANTS = 20_000
"""Variants that are told apart. Cases of further ones are counted together."""

NODES = 500_000
"""Prefixes that are kept, of 200 bytes each."""

WIDE = 16
"""Bits of an activity's number within the key of a node's child."""

ROOT = 0
FOLDED = -1
"""The place of a case whose variant is not told apart."""


class Variants:
    """The tree. Each case is at the node of its activities so far.

    `here[node]`: cases at the node; `passing[node]`: cases at the node or below it. `new_edge[node]` and
    `new_activity[node]`: the node's last edge, or activity, is not on the way to its parent. The cases of an edge are
    those that pass such a node of it, so no event has to look at the events before it. `edge[node]`: the durations of
    the node's last edge, noted there by the fold, which finds them so without a look in a dictionary. `variants`: nodes
    with cases, of which there are `most` at most.
    """

    def __init__(self) -> None:
        self.parent: array[int] = array("i", [-1])
        self.activity: array[int] = array("H", [0])
        self.here: list[int] = [0]
        self.passing: list[int] = [0]
        self.new_edge: bytearray = bytearray(1)
        self.new_activity: bytearray = bytearray(1)
        self.edge: list[Durations | None] = [None]
        self.children: dict[int, int] = {}
        self.free: list[int] = []
        self.most: int = VARIANTS
        self.variants: int = 0
        self.folded: int = 0

    def step(self, node: int, activity: int) -> int:
        """Move a case from a node, or from the root where it begins, to the child; return it, or FOLDED."""
        here, child = self.here, self.children.get(node << WIDE | activity)
        if node:
            here[node] = left = here[node] - 1
            if not left:
                self.variants -= 1
        if child is None or not here[child]:
            if self.variants >= self.most:
                return self._fold(node)
            if child is None:
                if len(self.parent) - len(self.free) > NODES:
                    return self._fold(node)
                child = self._grow(node, activity)
            self.variants += 1
        here[child] += 1
        self.passing[child] += 1
        return child

    def back(self, node: int) -> int:
        """Move a case to the parent of its node; return the parent, which is ROOT for a case without events."""
        parent = self.parent[node]
        self.here[node] -= 1
        if not self.here[node]:
            self.variants -= 1
        self._unpass(node)
        if parent:
            if not self.here[parent]:
                self.variants += 1
            self.here[parent] += 1
        return parent

    def trace(self, node: int) -> list[int]:
        """Return the activities of a node, from the root on."""
        trace = []
        while node:
            trace.append(self.activity[node])
            node = self.parent[node]
        return trace[::-1]

    def _fold(self, node: int) -> int:
        while node:
            parent = self.parent[node]
            self._unpass(node)
            node = parent
        self.folded += 1
        return FOLDED

    def _unpass(self, node: int) -> None:
        self.passing[node] -= 1
        if not self.passing[node]:
            del self.children[self.parent[node] << WIDE | self.activity[node]]
            self.edge[node] = None
            self.free.append(node)

    def _grow(self, parent: int, activity: int) -> int:
        activities, parents = self.activity, self.parent
        new_edge, new_activity = parent != ROOT, True
        before, at = activities[parent], parent
        while at:
            above = parents[at]
            if activities[at] == activity:
                new_activity = False
                if above and activities[above] == before:
                    new_edge = False
                    break
            at = above
        if self.free:
            node = self.free.pop()
            parents[node], activities[node] = parent, activity
            self.new_edge[node], self.new_activity[node] = new_edge, new_activity
        else:
            node = len(parents)
            parents.append(parent)
            activities.append(activity)
            self.new_edge.append(new_edge)
            self.new_activity.append(new_activity)
            self.here.append(0)
            self.passing.append(0)
            self.edge.append(None)
        self.children[parent << WIDE | activity] = node
        return node
